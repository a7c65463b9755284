/** Doses in the lists of a record: an item each, on lines of their own or one behind the other. */
import type { FoundFact } from '../../document/found-fact.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { courseOfHeading, findVaccines, vaccineCourse } from '../../terminology/vaccine-words.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Range, Reading } from '../found.ts'
import { splitItems, wordCount } from '../statements/list-items.ts'
import { inlineRole } from '../statements/section-role.ts'
import type { Segment } from '../statements/segments.ts'
import { deniedDose, doseDetail, doseFact, vaccineName, yearAlone } from './vaccine-dose.ts'
import { isIllness, statedDoses } from './vaccine-statements.ts'

/** "Immunisations: Fluvax 03/2021, Pneumovax 2018; Zoster - declined": each item for itself. */
export function listedDoses(reading: Reading, segment: Segment, place: number): FoundFact[] {
  const text = reading.document.text
  const label = /^[^:\n]{2,40}:\s*/.exec(text.slice(segment.start, segment.end))?.[0] ?? ''
  const isHeading = inlineRole(label.replace(/:\s*$/, ''))?.slug === 'immunisations'
  const start = isHeading ? segment.start + label.length : segment.start
  const heading = courseOfHeading(segment.role.heading)
  if (heading !== null && vaccineCourse(text.slice(start, segment.end)) !== 'given')
    return heading === 'to_come' ? [] : findVaccines(segment.tokens, 'any').map((match) => deniedDose(reading, match))
  const items = joinedItems(reading, splitItems(text, start, segment.end))
  const ranges = areEntries(reading, items) ? items : [{ start, end: segment.end }]
  return ranges.flatMap((range) => listedDose(reading, segment, range) ?? statedDoses(reading, segment, place, range))
}

/** "Fluvax 03/2021, ADT 2015" are two entries, "Influenza, seasonal (Fluzone) 10/2021" is one. */
function areEntries(reading: Reading, items: readonly Range[]): boolean {
  const told = items.filter(
    ({ start, end }) =>
      reading.dates.within(start, end).length > 0 ||
      /\b(?:19|20)\d\d\b/.test(reading.document.text.slice(start, end)) ||
      vaccineCourse(reading.document.text.slice(start, end)) !== null,
  )
  return items.length > 1 && (told.length > 1 || told.length === 0)
}

const detailFirst =
  /^\W*(?:\d|batch|lot|site|left|right|dose|given|exp|by|im\b|sc\b|route|next|due|booster|last|most recent|second|third|then)/i

/** What names no vaccine (a further date, a batch) belongs to the item before it. */
function joinedItems(reading: Reading, items: readonly Range[]): Range[] {
  const joined: Range[] = []
  for (const item of items) {
    const above = joined.at(-1)
    const printed = reading.document.text.slice(item.start, item.end)
    const isNamed = findVaccines(tokenise(printed), 'any').length > 0
    if (above && !isNamed && (detailFirst.test(printed) || !/\p{L}{4}/u.test(printed)))
      joined[joined.length - 1] = { start: above.start, end: item.end }
    else joined.push(item)
  }
  return joined
}

/** "Boostrix given 12/03/2020, next due 2030" was given. */
const whatIsNext = /[\s,;(-]*\b(?:next|repeat|booster due|due again|expir\w*|exp)\b.*$/i

/** null: no item of a list but a sentence. */
function listedDose(reading: Reading, segment: Segment, range: Range): FoundFact[] | null {
  const text = reading.document.text
  const printed = text.slice(range.start, range.end)
  const matches = findVaccines(tokenise(text, range.start, range.end), 'any')
  const stated = reading.dates
    .within(range.start, range.end)
    .filter((date) => date.label === null || date.label === 'given' || date.label === 'document')
  const alone = stated.length > 0 ? stated : yearAlone(range.start, printed, segment.firstLine)
  const dates = alone.length > 0 ? alone : dateOfHeading(reading, segment)
  const firstDate = alone[0]
  if (matches.length === 0 && /^[^\n]{2,40}:\s/.test(printed)) return []
  if (matches.length > 1 && dates.length <= 1) return null
  const course = vaccineCourse(firstDate ? printed.replace(whatIsNext, '') : printed)
  if (course !== 'given' && course !== null) {
    if (course === 'to_come') return []
    const [first] = matches
    return first && wordCount(text, range) <= 12 ? [deniedDose(reading, first)] : null
  }
  if (matches.some((match) => isIllness(text, range, match))) return []
  const dateFirst = firstDate !== undefined && firstDate.start - range.start < 4
  if (alone.length === 0 && wordCount(text, range) > (dates.length > 0 ? 14 : 4)) return null
  const whole = vaccineName(
    reading,
    dateFirst ? { start: firstDate.end, end: range.end } : { start: range.start, end: firstDate?.start ?? range.end },
  )
  const [only] = matches.length === 1 ? matches : []
  // "Second dose of SARS-CoV-2 vaccine": the name may end before the vaccine is named.
  const isBeside = whole && only && (isPhrase(text, whole, only) || only.start >= whole.end)
  const name = isBeside ? only : whole
  if (!name || (!firstDate && matches.length === 0) || name.end - name.start > 70) return []
  const detail = doseDetail(printed)
  const doses = dates.length > 0 ? dates : [null]
  return doses.map((date) => doseFact(reading, name, { date, detail }))
}

/** "Vaccines administered today 03/05/2024:" dates what stands under it. */
function dateOfHeading(reading: Reading, segment: Segment): LabelledDate[] {
  const { heading } = segment.role
  if (heading === null || !/\b(?:given|administered|today|received)\b/i.test(heading)) return []
  const printed = reading.segments.findLast((other) => other.kind === 'heading' && other.end <= segment.start)
  return printed ? reading.dates.within(printed.start, printed.end).slice(0, 1) : []
}

/** "Fully vaccinated against COVID-19": the name is a part of what stands there. */
function isPhrase(text: string, name: Range, match: Range | undefined): boolean {
  if (!match) return false
  const before = text.slice(name.start, Math.max(name.start, match.start))
  return (
    /\b(?:vaccinat\w*|immuni[sz]ed|against|receiv\w*|had|given|last|for|with|has)\b/i.test(before) ||
    wordCount(text, name) > 7
  )
}
