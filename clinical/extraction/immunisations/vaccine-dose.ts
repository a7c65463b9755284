/** One dose as a fact: its name without what stands around it, and batch, site, maker and number of the dose. */
import type { FactDetail, FoundDate, FoundFact } from '../../document/found-fact.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { vaccineConcept } from '../../terminology/vaccine-antigens.ts'
import { findMaker, findVaccines } from '../../terminology/vaccine-words.ts'
import { foundDate, type LabelledDate } from '../statements/dated-context.ts'
import { foundFact, isLegible, type Range, type Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'

const batchPattern =
  /\b(?:batch|lot)(?:[ /]*(?:batch|lot|no|num(?:ber)?|code|id))*\b[.:\s#-]*(?=[A-Z-]*\d)([A-Z0-9][A-Z0-9-]{2,13})\b/i
const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth']
const words = ['one', 'two', 'three', 'four', 'five', 'six']
const dosePattern = new RegExp(
  String.raw`\b(?:dose|jab|shot|booster)\s?(?:no\.?\s?|number\s|#\s?)?(\d)(?![\d.])|#\s?(\d)(?![\d.])|\b(\d)(?:st|nd|rd|th)\s+(?:\w+\s){0,2}?dose\b|\bdose\s(${words.join('|')})\b|\b(${ordinals.join('|')})\s+(?:\w+\s){0,2}?dose\b`,
  'i',
)
const sitePattern =
  /\b(?:(?:left|right|L|R|Lt|Rt)\.?\s(?:upper\s|outer\s|lateral\s|anterolateral\s|mid\s)*(?:arm|deltoid|thigh|vastus lateralis|buttock|gluteal|gluteus|forearm|quadriceps|leg)|(?:deltoid|thigh),?\s(?:left|right)|(?:left|right)\sventrogluteal)\b|\bsite[:\s]+((?:left|right|L|R|LA|RA|LD|RD|LUA|RUA|LVL|RVL|LT|RT)\b(?:\s(?:arm|deltoid|thigh))?)/i

export type DoseFound = { readonly date: LabelledDate | null; readonly detail: FactDetail }

export function doseFact(reading: Reading, name: Range, { date, detail }: DoseFound): FoundFact {
  const printed = reading.document.text.slice(name.start, name.end)
  const matches = findVaccines(tokenise(printed), 'any')
  return foundFact(reading.document, {
    type: 'immunization',
    name,
    date: date ? foundDate(date, 'given') : null,
    detail,
    // Wherever it stands: the doses of a card differ in nothing else.
    parts: [['date', date]],
    concept: vaccineConcept(printed, matches),
    strength: date ? 'strong' : 'fair',
  })
}

/** Refused, declined or not given; when it was refused is no date of a dose. */
export function deniedDose(reading: Reading, name: Range): FoundFact {
  return { ...doseFact(reading, name, { date: null, detail: {} }), status: 'negated' }
}

export function givenAt(fact: FoundFact, date: LabelledDate): FoundFact {
  const given: FoundDate = foundDate(date, 'given')
  return { ...fact, date: given, strength: 'strong' }
}

/** What the words beside a name say of its dose. */
export function doseDetail(printed: string): FactDetail {
  return withoutGaps({
    batch: batchPattern.exec(printed)?.[1] ?? '',
    site: siteIn(printed),
    manufacturer: findMaker(printed) ?? '',
    doseNumber: doseNumberIn(printed),
  })
}

function siteIn(printed: string): string {
  const match = sitePattern.exec(printed)
  return match?.[1] ?? match?.[0] ?? ''
}

export function doseNumberIn(printed: string): string {
  const match = dosePattern.exec(printed)
  const figure = match?.[1] ?? match?.[2] ?? match?.[3]
  if (figure !== undefined) return figure
  const place =
    words.indexOf(match?.[4]?.toLowerCase() ?? '') + 1 || ordinals.indexOf(match?.[5]?.toLowerCase() ?? '') + 1
  return place > 0 ? String(place) : ''
}

const nameEnd =
  /\s*(?:[-–,;:]\s*)?(?:\b(?:batch|lot|dose \w+|given|administered|site|left arm|right arm|booster \d|due|overdue|refused|declined|deferred|scheduled|ordered|recommended|not given|not done|contraindicated|done|completed|received|exp|mfr|(?:in|on|at) (?=\d|[a-z]{3}\w* \d))\b|\b\d(?:\.\d{1,2})?\s?mL\b|\b(?:IM|IMI|subcut|SC)\b|\((?:L|R)\)|\(?\d(?:st|nd|rd|th) dose|\s#\s?\d|\b(?:19|20)\d\d\b|\((?=dose|batch|lot|given|declin|refus|due|\d{1,2}[/.-]\d|(?:19|20)\d\d)|\t)/i

/** The cell or item without list marks, dose counts and batch numbers. */
export function vaccineName(reading: Reading, range: Range): Range | null {
  const text = reading.document.text
  const printed = text.slice(range.start, range.end)
  const stop = nameEnd.exec(printed)
  const end = stop && stop.index > 2 ? range.start + stop.index : range.end
  const name = bare(text, { start: range.start, end })
  const said = text.slice(name.start, name.end)
  const isKnown = findVaccines(tokenise(said), 'any').length > 0
  return (isKnown || isLegible(reading, name)) && !/^(?:vaccin|immuni|date|given|nil|none|up to date)/i.test(said)
    ? name
    : null
}

/** "Pneumovax 2018": beside a vaccine a bare year is the year of the dose. `start`: where the words begin. */
export function yearAlone(start: number, printed: string, line: number): LabelledDate[] {
  const match = /(?<![\d/.-])(?:19|20)\d\d(?![\d/.-]\d|\d)/.exec(printed)
  if (!match) return []
  const from = start + match.index
  const [iso] = match
  return [{ start: from, end: from + 4, iso, printed: iso, certainty: 'printed', label: null, line, entry: null }]
}

export function withoutGaps(detail: Record<string, string>): FactDetail {
  return Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== ''))
}
