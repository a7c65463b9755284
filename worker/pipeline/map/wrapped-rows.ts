/**
 * Rows whose cells were set over several lines: a long name, a range with its remark, values centred beside a name of
 * two lines. What belongs to a row is put back into it, each piece in its column.
 */
import { unitOf } from '../../../clinical/terminology/units.ts'
import type { Segment } from './bands.ts'
import { extent, median, segmentOf, textOf } from './bands.ts'
import { isHeaderCell, looksLikeHeader } from './table-headers.ts'

/** The cells of a line by column; a column without words is null. */
export type Row = readonly (Segment | null)[]

export function joinWrapped(rows: readonly Row[]): readonly Row[] {
  if (!isSettled(rows)) return rows
  const pitch = pitchOf(rows)
  const joined: Row[] = []
  centred(rows, pitch).forEach((row) => {
    const above = joined.at(-1)
    if (above !== undefined && goesOn(above, row, pitch)) joined[joined.length - 1] = putInto(above, row)
    else joined.push(row)
  })
  return joined
}

/** A speck beside a paragraph makes columns too; what is to be joined must clearly be a table. */
function isSettled(rows: readonly Row[]): boolean {
  const full = rows.filter((row) => filled(row) >= 2).length
  return rows.some((row) => looksLikeHeader(row.map(textIn))) || (full >= 3 && full >= 0.5 * rows.length)
}

type Pitch = { readonly gap: number; readonly ink: number }

function pitchOf(rows: readonly Row[]): Pitch {
  const full = rows.filter((row) => filled(row) >= 2)
  return {
    gap: median(full.slice(1).map((row, place) => gapBetween(full[place] ?? row, row))),
    ink: median(full.map((row) => extent(cellsOf(row))).map(({ top, bottom }) => bottom - top)),
  }
}

/** "Alkaline phosphatase" / "88 U/L" / "(bone)": the lines of the name stand above and below the middle of its values. */
function centred(rows: readonly Row[], { ink }: Pitch): Row[] {
  const joined: Row[] = []
  let skip = false
  rows.forEach((row, place) => {
    if (skip) {
      skip = false
      return
    }
    const [above, below] = [joined.at(-1), rows[place + 1]]
    const isMiddle =
      above !== undefined &&
      below !== undefined &&
      filled(above) === 1 &&
      filled(below) === 1 &&
      filled(row) >= 2 &&
      standsApart(above, row) &&
      standsApart(below, row) &&
      sameColumn(above, below) &&
      gapBetween(above, row) < -0.15 * ink &&
      gapBetween(row, below) < -0.15 * ink
    if (!isMiddle) {
      joined.push(row)
      return
    }
    joined[joined.length - 1] = putInto(putInto(above, row), below)
    skip = true
  })
  return joined
}

function goesOn(above: Row, row: Row, { gap, ink }: Pitch): boolean {
  const columns = row.flatMap((cell, column) => (cell === null ? [] : [column]))
  if (filled(above) < 2 || columns.length >= filled(above) || columns.some((column) => !above[column])) return false
  const own = gapBetween(above, row)
  if (own > gap + 0.3 * ink) return false
  const isHeader = looksLikeHeader(above.map(textIn))
  if (isHeader) return own < 0.9 * ink && columns.every((column) => isHeaderCell(textIn(row[column])))
  const isTight = own < gap - 0.25 * ink && own < 0.8 * ink
  if (columns.length * 2 > filled(above)) return false
  const isName = columns.includes(0) && columns.length > 1
  if (isTight && !isName) return columns.every((column) => !startsValue(textIn(row[column])))
  return columns.every((column) => readsOn(textIn(above[column]), textIn(row[column])))
}

/** Its beginning needs what stands above it: an open bracket, a comma, half a range, a small letter. */
function readsOn(above: string, text: string): boolean {
  const isOpen = (above.match(/\(/g) ?? []).length > (above.match(/\)/g) ?? []).length
  if (isOpen || /(?:[,(/–-]|\b(?:and|or|of|with|by|to))$/i.test(above)) return true
  return /^(?:\p{Ll}+[ ,.;]|\p{Ll}{3}|\(\p{L}|[-–]\s*\d)/u.test(text) && unitOf(text) === null
}

const startsValue = (text: string): boolean => /^[<>*]*\s?(?:[HL]{1,2} )?\d/.test(text)

function putInto(above: Row, row: Row): Row {
  return above.map((cell, column) => {
    const added = row[column] ?? null
    if (cell === null || added === null) return cell ?? added
    return segmentOf([...cell.words, ...added.words])
  })
}

const cellsOf = (row: Row): Segment[] => row.filter((cell) => cell !== null)
const filled = (row: Row): number => cellsOf(row).length
const textIn = (cell: Segment | null | undefined): string => (cell ? textOf(cell) : '')
const standsApart = (a: Row, b: Row): boolean => a.every((cell, column) => cell === null || b[column] === null)
const sameColumn = (a: Row, b: Row): boolean => a.every((cell, column) => (cell === null) === (b[column] === null))

function gapBetween(above: Row, below: Row): number {
  return extent(cellsOf(below)).top - extent(cellsOf(above)).bottom
}
