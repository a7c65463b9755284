/** The cell of a row under a heading that is worded so. */
import type { MappedDocument } from '../../document/mapped.ts'
import { firstNotBefore, touchedBy } from '../../document/places.ts'
import type { Range } from '../found.ts'

export function cellsUnder(document: MappedDocument, at: number, heading: RegExp): Range | null {
  const [line] = touchedBy(document.lines, { start: at, end: at + 1 })
  if (line === undefined || line.kind !== 'table_row' || line.table === null) return null
  const place = firstNotBefore(document.lines, (each) => each.start < line.start)
  const header = document.lines.slice(0, place).findLast((each) => each.kind === 'table_header')
  if (header === undefined || header.table !== line.table) return null
  const head = header.cells.find((cell) => heading.test(document.text.slice(cell.start, cell.start + cell.length)))
  if (head === undefined) return null
  const cell = line.cells.find((each) =>
    head.column !== null && each.column !== null
      ? each.column === head.column
      : Math.min(head.box[2], each.box[2]) > Math.max(head.box[0], each.box[0]),
  )
  return cell === undefined ? null : { start: cell.start, end: cell.start + cell.length }
}
