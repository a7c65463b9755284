/** Results and vital signs in running text: "Haemoglobin 131 g/L", "BP 138/90", "creatinine was 88". */
import type { FoundFact } from '../document/found-fact.ts'
import { observationLexicon, type Observation } from '../terminology/concepts.ts'
import { findTerms, type Match } from '../terminology/lexicon.ts'
import { matchUnit, unitOf } from '../terminology/units.ts'
import { compoundQuantity } from '../coding/compound-quantity.ts'
import { assertionOf, findCues } from './context.ts'
import type { Reading } from './found.ts'
import { numberAt } from './numbers.ts'
import { fitsUnit, readingDate, readingFact } from './reading-fact.ts'
import { readValues, type RowValues } from './row-values.ts'
import type { Segment } from './segments.ts'
import { readPressures, readShape } from './vital-shapes.ts'

/** What may stand between a name and its value without making the value another thing's. */
const filler =
  /^(?:[\s:=,()*]|\b(?:is|was|were|are|of|at|level|levels|count|reading|result|results|today|now|currently|measured|recorded|remains|remained|about|around|approximately|to|increased|decreased|improved|stable|estimated|visually|calculated|sitting|standing|lying|supine|seated|elevated|low|high|raised|normal|only|came back|suppressed|quantitative|returned|serum|total|fasting|random|on arrival|on admission|rate|value|a)\b|['’]s\b){0,9}/i
/** Before a number that is wanted, not measured. */
export const aims =
  /\b(target|goal|aim(?:ing)?|keep|maintain|below|above|under|over|less than|greater than|threshold|cut-?off|limit|normal range|reference)\s*(?:\w+\s*){0,2}$/i
const resultSections = new Set(['results', 'vital-signs', 'examination', 'imaging'])
/** Numbers with these behind them count something else than the observation. */
const otherCount =
  /^\s?(?:(?:-|to\s)?\s?\d*\s?(?:tab|cap|puff|dose|week|day|month|year|hour|minute|time|pack|cigar|drink|point|%\s?(?:of|reduc|increas))|(?:st|nd|rd|th)\b|[ap]m\b|x\s|\/(?:7|52|12)\b)/i

/** Told, not measured: they are social history. */
const habits = new Set(
  ['tobacco-smoking-status', 'cigarette-pack-years', 'alcohol-intake'].map((id) => `observations:${id}`),
)

export function findRunningResults(reading: Reading, claimed: ReadonlySet<number>): FoundFact[] {
  return reading.segments
    .filter((segment) => segment.kind !== 'heading' && !claimed.has(segment.firstLine) && !isMedicineList(segment))
    .flatMap((segment) => resultsOf(reading, segment))
}

function isMedicineList(segment: Segment): boolean {
  return /medication|allerg|immunisation|follow-up|discharge-instructions|family/.test(segment.role.slug ?? '')
}

type Candidate = { match: Match<Observation>; observation: Observation; values: RowValues; isAmbiguous: boolean }

function resultsOf(reading: Reading, segment: Segment): FoundFact[] {
  const matches = findTerms(observationLexicon(), segment.tokens).filter(
    (match) => !isUnitWord(reading, match) && !match.terms.some((term) => habits.has(term.meaning.concept)),
  )
  const candidates = matches.flatMap((match, place) => {
    return candidatesOf(reading, segment, match, matches[place + 1]?.start ?? segment.end)
  })
  const cues = candidates.length > 0 ? findCues(segment.tokens) : []
  return candidates.flatMap((candidate) => {
    const { status } = assertionOf(segment.tokens, cues, candidate.match)
    if (status === 'family' || status === 'other' || status === 'hypothetical') return []
    if (!isSupported(segment, candidate, candidates.length)) return []
    const date = readingDate(reading, candidate.match, segment)
    const hasOwnDate =
      date !== null && reading.dates.within(segment.start, segment.end).some((own) => own.iso === date.iso)
    if (status === 'historical' && !hasOwnDate) return []
    const strength =
      fitsUnit(candidate.observation, candidate.values) || candidate.values.value?.printed.includes('/')
        ? 'strong'
        : 'fair'
    const fact = readingFact(reading, { ...candidate, name: nameRange(reading, candidate.match), date, strength })
    return fact ? [fact] : []
  })
}

/** "72 bpm": a unit that is also a name stands behind its number, a name before it. */
function isUnitWord(reading: Reading, match: Match<Observation>): boolean {
  const text = reading.document.text
  const isBehindNumber = /\d\s?$/.test(text.slice(Math.max(0, match.start - 3), match.start))
  const isBeforeNumber = /^\s*[:=]?\s*\d/.test(text.slice(match.end, match.end + 6))
  return isBehindNumber && !isBeforeNumber && unitOf(text.slice(match.start, match.end)) !== null
}

function candidatesOf(reading: Reading, segment: Segment, match: Match<Observation>, limit: number): Candidate[] {
  const text = reading.document.text
  const term = match.terms.find((candidate) => !candidate.isAmbiguous) ?? match.terms[0]
  if (!term || aims.test(text.slice(Math.max(segment.start, match.start - 40), match.start))) return []
  const from = match.end + (filler.exec(text.slice(match.end, Math.min(limit, match.end + 80)))?.[0].length ?? 0)
  const { concept } = term.meaning
  const isPressure = concept === 'observations:blood-pressure-panel'
  const one = readShape(text, from, limit, concept) ?? (isPressure ? null : numericValues(reading, from, limit))
  return (isPressure ? readPressures(text, from, limit) : one ? [one] : []).map((values) => ({
    match,
    observation: term.meaning,
    values,
    isAmbiguous: term.isAmbiguous,
  }))
}

function numericValues(reading: Reading, from: number, limit: number): RowValues | null {
  const text = reading.document.text
  const number = numberAt(text, from)
  if (!number || reading.dates.covers(number.start)) return null
  if (/^\s?[-–]\s?\d/.test(text.slice(number.end, number.end + 4))) return null
  const hasUnit = matchUnit(text, number.end, limit) !== null
  if (otherCount.test(text.slice(number.end, number.end + 16)) && !hasUnit) return null
  const values = readValues(text, from, clauseEnd(text, number.end, limit), reading.dates.within(from, limit))
  return values.value?.start === number.start ? values : null
}

/** The parts of one result end where the next clause begins; flags and ranges in brackets still belong to it. */
function clauseEnd(text: string, from: number, limit: number): number {
  const match = /;|,\s|\.\s|\band\b|\bon\b/.exec(text.slice(from, limit))
  return match ? from + match.index : limit
}

function isSupported(segment: Segment, candidate: Candidate, neighbours: number): boolean {
  if (fitsUnit(candidate.observation, candidate.values)) return true
  // `5'10"` is printed of nothing but a height.
  if (compoundQuantity(candidate.values.value?.printed ?? null) !== null) return true
  if (candidate.values.unit && candidate.observation.acceptedUcum.length > 0 && candidate.values.unit.printed !== '%') {
    return !candidate.isAmbiguous && resultSections.has(segment.role.slug ?? '')
  }
  if (candidate.isAmbiguous) return neighbours >= 3 && resultSections.has(segment.role.slug ?? '')
  return true
}

function nameRange(reading: Reading, match: { start: number; end: number }) {
  return { start: match.start, end: match.end }
}
