/**
 * How old somebody was when it began, as printed: "breast cancer at 44", "MI in his 50s", "stroke (age 61)". The age at
 * which somebody died or is now is another number.
 */
import { cellsUnder } from '../statements/table-cells.ts'
import type { Range, Reading } from '../found.ts'

const age = String.raw`((?:(?:his|her|their)\s+)?(?:early |mid[- ]|late )?\d{1,2}0['’]?s|\d{1,3})`
const said = new RegExp(
  String.raw`^[^.;\t\d]{0,24}?\b(?:aged?|at(?: (?:the )?age(?: of)?)?|@|age (?:of|at) (?:onset|diagnosis)|onset(?: (?:at|age))?|(?:first )?diagnosed (?:at|aged)(?: age)?|dx(?:'?d)?(?: at)?(?: age)?|in)\s*[:=]?\s*${age}(?![\d/:.,]*\d|\s*(?:mg|mcg|g|ml|%|weeks?|months?|days?|/))\b`,
  'iu',
)
const bracketed =
  /^\s*(?:[(,–-]\s*)+(?:(?:aged?|onset|dx|diagnosed)\s*(?:at\s*)?[:=]?\s*)?((?:early |mid[- ]|late )?\d{1,2}0['’]?s|\d{1,3})\s*(?:years?|yrs?|yo|y\/o|y)?(?:\s*old)?\s*[),.;]?(?:$|[\s),;.])/iu
const ofDeath = /\b(?:died|dies|death|deceased|passed|dec|now|current(?:ly)?|alive)\b/i

/** `isRelative`: in a family's history a number in brackets is an age, in the patient's own it may be anything. */
export function onsetAgeOf(reading: Reading, name: Range, end: number, isRelative: boolean): Range | null {
  const { text } = reading.document
  const behind = text.slice(name.end, Math.min(end, name.end + 60))
  const match = said.exec(behind) ?? (isRelative ? bracketed.exec(behind) : null)
  if (match?.[1] === undefined) return isRelative ? columnAge(reading, name) : null
  if (ofDeath.test(match[0]) || !isAge(match[1], match[0])) return null
  const start = name.end + match.index + match[0].lastIndexOf(match[1])
  return { start, end: start + match[1].length }
}

/** "In 1998" is a year, "in the 90s" may be; "in his 50s" is an age. */
function isAge(printed: string, whole: string): boolean {
  const years = Number.parseInt(/\d+/.exec(printed)?.[0] ?? '', 10)
  const isDecade = /s$/i.test(printed)
  if (/\bin\s*[:=]?\s*\S*$/i.test(whole.slice(0, whole.lastIndexOf(printed)).trimEnd()) && !isDecade) return false
  if (isDecade && /\bin\b/i.test(whole) && !/\b(?:his|her|their|early|mid|late)\b/i.test(whole)) return false
  return years > 0 && years <= 110
}

/** "Age of onset" heads a column. */
function columnAge(reading: Reading, name: Range): Range | null {
  const cell = cellsUnder(reading.document, name.start, /\bage\b/i)
  if (cell === null) return null
  const printed = reading.document.text.slice(cell.start, cell.end).trim()
  return /^(?:\d{1,3}|\d{1,2}0['’]?s)(?:\s*(?:years?|yrs?|y))?$/i.test(printed) ? cell : null
}
