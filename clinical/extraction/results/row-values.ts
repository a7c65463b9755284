/** The parts of one result, wherever the row prints them: value, unit, flag and reference range are told apart by shape. */
import { matchUnit, type Unit } from '../../terminology/units.ts'
import type { PrintedDate } from '../../document/dates.ts'
import { numberAt, rangeAt, type PrintedNumber } from './numbers.ts'
import type { Range } from '../found.ts'

export type RowValues = {
  value: (Range & { printed: string; number: number | null; comparator: PrintedNumber['comparator'] }) | null
  unit: (Range & { printed: string; unit: Unit }) | null
  flag: (Range & { printed: string }) | null
  range: (Range & { printed: string }) | null
  /** What stands where the value should, when its number cannot be told. */
  illegible: Range | null
  /** What stands where the unit should, when it is none that we know. */
  unreadUnit: Range | null
  /** Where reading stopped. */
  end: number
}

const flagPattern =
  /[([]?(H{1,2}|L{1,2}|HIGH|LOW|High|Low|ABN|Abnormal|CRIT|Critical|\*{1,3}|\^|↑|↓|▲|▼)[)\]]?(?=[\s,;.)\t]|$)/y
const wordedPattern =
  /(not detected|non[- ]?reactive|no growth|detected|reactive|positive|negative|indeterminate|equivocal|trace|nil|absent|present|normal|abnormal|clear|\+{1,4}|[1-4]\+|(?:AB|A|B|O)(?: Rh\(?D?\)?)? ?(?:pos(?:itive)?|neg(?:ative)?|[+-]))(?=[\s,;.)\t]|$)/iy

/** A power of ten whose raised figure or stroke was misread: "x10°/L", "x10%L". */
const powerPattern = /(?<!\S)([x×]\s?[1Il|][0Oo]\S{0,4}L|[1Il|][0Oo]\D{1,4}\/\p{L}+)(?=[\s,;)]|$)/uy

export const emptyValues = (end: number): RowValues => ({
  value: null,
  unit: null,
  flag: null,
  range: null,
  illegible: null,
  unreadUnit: null,
  end,
})

/** Reads the parts that stand one after another from `from`; `dates` are stepped over. */
export function readValues(text: string, from: number, to: number, dates: readonly PrintedDate[]): RowValues {
  const values = emptyValues(from)
  let at = from
  while (at < to) {
    const step = /\s/.test(text[at] ?? ' ') ? at + 1 : readPart(text, at, to, values, dates)
    if (step > at && !/\s/.test(text[at] ?? ' ')) values.end = step
    at = step
  }
  return values
}

function readPart(text: string, at: number, to: number, values: RowValues, dates: readonly PrintedDate[]): number {
  const date = dates.find((printed) => printed.start <= at && at < printed.end)
  if (date) return date.end
  const unit = values.unit ? null : matchUnit(text, at, to)
  if (unit && isUnitHere(text, unit.start, unit.end, values)) {
    values.unit = { start: unit.start, end: unit.end, printed: text.slice(unit.start, unit.end), unit: unit.unit }
    return unit.end
  }
  const flag = sticky(flagPattern, text, at)
  // "* 7.6 H": the letter says which way.
  if (flag && (!values.flag || /^\*+$/.test(values.flag.printed))) {
    values.flag = flag
    return flag.end
  }
  const power = values.unit ? null : sticky(powerPattern, text, at)
  if (power && power.end <= to) {
    values.unreadUnit ??= power
    return power.end
  }
  return readFigures(text, at, to, values) ?? nextWord(text, at, to)
}

function readFigures(text: string, at: number, to: number, values: RowValues): number | null {
  const range = rangeAt(text, at)
  if (range && range.end <= to && !values.range && (range.isClosed || values.value)) {
    values.range = range
    return range.end + (/^[)\]]/.test(text.slice(range.end)) ? 1 : 0)
  }
  const number = numberAt(text, at)
  if (number && number.end <= to) {
    values.value ??= { ...number }
    return number.end
  }
  const worded = values.value ? null : sticky(wordedPattern, text, at)
  if (worded && worded.end <= to) {
    values.value = { ...worded, number: null, comparator: null }
    return worded.end
  }
  return null
}

/** "10^9/L" starts with figures and "%" with none; a bare letter is a flag before it is a unit. */
function isUnitHere(text: string, start: number, end: number, values: RowValues): boolean {
  const printed = text.slice(start, end)
  // The rest of a figure that was misread ("1O43/uL") is no unit.
  if (printed.startsWith('/') && /[\d*^°]/.test(text[start - 1] ?? '') && values.value?.end !== start) return false
  if (/^\d+$/.test(printed) || /^[HLN]$/.test(printed)) return false
  return values.value !== null || values.range !== null || printed.includes('/') || printed === '%'
}

function sticky(pattern: RegExp, text: string, at: number): (Range & { printed: string }) | null {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match ? { start: at, end: at + match[0].length, printed: match[1] ?? match[0] } : null
}

function nextWord(text: string, at: number, to: number): number {
  let next = at + 1
  if (!/[\p{L}\d]/u.test(text[at] ?? '')) return next
  while (next < to && !/[\s(]/.test(text[next] ?? ' ')) next += 1
  return next
}
