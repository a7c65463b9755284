/**
 * Numbers of a column of results that were read wrongly. What can only be a point is mended; where the number cannot
 * be told the row stays, without a number, for a person to look at: never a part of the figures, nor those of another column.
 */
import { parseRange } from '../../coding/printed-numbers.ts'
import type { Cell } from '../../document/mapped.ts'
import { touchedBy } from '../../document/places.ts'
import { isRecognised, type Range, type Reading } from '../found.ts'
import type { RowValues } from './row-values.ts'

/** Figures, or letters that look like them: "5:3", "a3", "l.55", "SO". Words such as "pending" are no misread number. */
const figuresMisread = /^(?:(?=\S*\d)\S{1,7}|[OoDQIilSsBbGgqZz|.,:]{2,6})$/
const pointMisread = /^(\d{1,4})([:,])(\d{1,3})$/

/** `cell` stands in a column of results; unit and range are those of its row. A test without both may be waited for. */
export function withMisreadNumber(reading: Reading, cell: Cell, values: RowValues): RowValues {
  if (isWhollyRead(reading, cell, values.value) || isFlag(values, cell)) return values
  const { text } = reading.document
  const printed = firstWord(text, cell)
  const word = text.slice(printed.start, printed.end)
  const isDated = reading.dates.within(cell.start, cell.start + cell.length).length > 0
  if (isDated || !figuresMisread.test(word)) return { ...values, value: null }
  const mended = pointMended(word, values.range?.printed ?? '')
  if (mended !== null)
    return { ...values, value: { ...printed, printed: mended, number: Number(mended), comparator: null } }
  const mayBeOther = isRecognised(reading.document, printed) || pointMisread.test(word)
  const isResult = values.unit !== null && values.range !== null
  return { ...values, value: null, illegible: mayBeOther && isResult ? printed : null }
}

const twoEnds = /^[([]?\s?(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)\s?[)\]]?$/

/** `cell` stands in a column of ranges: the two numbers in it ("0.0 1.2") are its ends. */
export function withLostDash({ document }: Reading, cell: Cell): RowValues['range'] {
  const range = { start: cell.start, end: cell.start + cell.length }
  const [, low = '', high = ''] = twoEnds.exec(document.text.slice(range.start, range.end).trim()) ?? []
  if (high === '' || Number(low) >= Number(high) || !isRecognised(document, range)) return null
  return { ...range, printed: `${low}-${high}` }
}

const doubted01 = 0.6

/** A number that its reader was unsure of, on the wrong side of its range for the flag beside it, is not what is printed. */
export function withoutContradicted({ document }: Reading, values: RowValues): RowValues {
  const { value, flag, range, unit } = values
  if (!value || value.number === null || value.comparator !== null || !flag || !range || !unit) return values
  const isUnsure = touchedBy(document.words, value).some(({ confidence01 }) => confidence01 < doubted01)
  const { low, high } = parseRange(range.printed) ?? { low: null, high: null }
  const contradicts =
    (/^h/i.test(flag.printed) && high !== null && value.number <= high) ||
    (/^l/i.test(flag.printed) && low !== null && value.number >= low)
  return isUnsure && contradicts ? { ...values, value: null, illegible: value } : values
}

const isIn = (cell: Cell, part: Range | null) =>
  part !== null && part.start >= cell.start && part.start < cell.start + cell.length

/** Where columns are set loosely a flag can stand under the heading of the results. */
const isFlag = ({ flag }: RowValues, cell: Cell) =>
  isIn(cell, flag) && flag !== null && flag.end >= cell.start + cell.length

/** "1" of "1,55" is not what is printed. */
function isWhollyRead({ document }: Reading, cell: Cell, value: Range | null): boolean {
  return value !== null && isIn(cell, value) && !/^[:,]\d/.test(document.text.slice(value.end, value.end + 2))
}

/** Three figures behind a comma are thousands, unless the range has as many behind its point. */
function pointMended(word: string, range: string): string | null {
  const [, whole, sign, fraction] = pointMisread.exec(word) ?? []
  const decimals = Math.max(0, ...Array.from(range.matchAll(/\.(\d+)/g), (match) => match[1]?.length ?? 0))
  if (whole === undefined || fraction === undefined || decimals === 0) return null
  if (fraction.length > decimals || (sign === ',' && fraction.length === 3 && decimals !== 3)) return null
  return `${whole}.${fraction}`
}

function firstWord(text: string, cell: Cell): Range {
  const printed = text.slice(cell.start, cell.start + cell.length)
  const start = cell.start + (printed.length - printed.trimStart().length)
  return { start, end: start + (/^\S*/.exec(printed.trimStart())?.[0].length ?? 0) }
}
