/** Two tables side by side ("Test Result Units | Test Result Units") found as one: their halves are alike, column by column. */
import type { Segment } from './bands.ts'
import { textOf } from './bands.ts'
import { looksLikeHeader } from './table-headers.ts'
import type { Row } from './wrapped-rows.ts'

/** The rows of each panel, left to right; the rows as they are where there is one. */
export function panelsIn(rows: readonly Row[]): readonly (readonly Row[])[] {
  const width = Math.max(...rows.map((row) => row.length))
  const half = width / 2
  if (width < 4 || width % 2 === 1 || !areAlike(rows, half)) return [rows]
  return [0, half].map((from) =>
    rows.map((row) => row.slice(from, from + half)).filter((row) => row.some((cell) => cell !== null)),
  )
}

function areAlike(rows: readonly Row[], half: number): boolean {
  const header = rows.find((row) => looksLikeHeader(row.map((cell) => textIn(cell))))
  if (header !== undefined) {
    const words = header.map((cell) => textIn(cell).toLowerCase())
    return words.slice(0, half).every((word, column) => word !== '' && word === words[column + half])
  }
  if (half < 3 || rows.length < 3) return false
  const kinds = Array.from({ length: 2 * half }, (_, column) => kindOf(rows.flatMap((row) => row[column] ?? [])))
  return kinds[0] === 'name' && kinds[1] === 'figure' && kinds.every((kind, column) => kind === kinds[column % half])
}

type Kind = 'name' | 'figure' | 'range' | 'unit' | 'other'

function kindOf(cells: readonly Segment[]): Kind {
  const share = (pattern: RegExp) =>
    cells.filter((cell) => pattern.test(textOf(cell))).length / Math.max(cells.length, 1)
  if (share(/^[(<>]?\s*[\d.]+\s*[-–]\s*[\d.]+\)?$|^\(?[<>]\s*[\d.]+\)?$/) >= 0.6) return 'range'
  if (share(/^[<>]?\d[\d.,]*\s*(?:[HL*]{1,2})?$/) >= 0.6) return 'figure'
  if (share(/^(?:%|[^\s]*\/[^\s]*|fL|pg|g|mg)$/) >= 0.6) return 'unit'
  return share(/^\p{L}{2}/u) >= 0.7 ? 'name' : 'other'
}

const textIn = (cell: Segment | null): string => (cell === null ? '' : textOf(cell))
