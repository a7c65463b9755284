/** Results and vital signs in running text: "Haemoglobin 131 g/L", "BP 138/90", "creatinine was 88". */
import type { FoundFact } from '../../document/found-fact.ts'
import type { MappedDocument } from '../../document/mapped.ts'
import { coverOf, type Cover } from '../../document/places.ts'
import { observationLexicon, type Observation } from '../../terminology/concepts.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { isPlausible } from '../../terminology/plausible.ts'
import { matchUnit, unitOf } from '../../terminology/units.ts'
import { compoundQuantity } from '../../coding/compound-quantity.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import type { Reading } from '../found.ts'
import { numberAt } from './numbers.ts'
import { fitsUnit, readingDate, readingFact } from './reading-fact.ts'
import { emptyValues, readValues, type RowValues } from './row-values.ts'
import type { Segment } from '../statements/segments.ts'
import { readAcuity, readPressures, readScore, readShape } from './vital-shapes.ts'

/** What may stand between a name and its value without making the value another thing's. */
const filler =
  /^(?:[\s:=,()*]|\b(?:is|was|were|are|of|at|level|levels|count|reading|result|results|today|now|currently|measured|recorded|remains|remained|about|around|approximately|to|increased|decreased|improved|stable|estimated|visually|calculated|sitting|standing|lying|supine|seated|elevated|low|high|raised|normal|only|came back|suppressed|quantitative|returned|serum|total|fasting|random|on arrival|on admission|rate|value|a|(?:on|in|from|of) (?:the )?(?:\d{1,2}(?:st|nd|rd|th)? (?:of )?)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{1,2}(?:st|nd|rd|th)?)?(?:,? \d{4})?|on \d{1,2}[/.-]\d{1,2}[/.-]\d{2,4})\b|['’]s\b){0,9}/i
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
  const goals = goalCells(reading.document)
  return reading.segments
    .filter((segment) => segment.kind !== 'heading' && !claimed.has(segment.firstLine) && !isMedicineList(segment))
    .flatMap((segment) => resultsOf(reading, segment, goals))
}

function isMedicineList(segment: Segment): boolean {
  return /medication|allerg|immunisation|follow-up|discharge-instructions|family/.test(segment.role.slug ?? '')
}

type Candidate = { match: Match<Observation>; observation: Observation; values: RowValues; isAmbiguous: boolean }

/** A column headed "Goals" holds what is wanted, whatever the table is about. */
function goalCells({ lines, text }: MappedDocument): Cover {
  const headed = new Map<number, ReadonlySet<number | null>>()
  const wanted = lines.flatMap(({ table, cells }) => {
    if (table === null) return []
    const words = cells.map((cell) => text.slice(cell.start, cell.start + cell.length))
    if (cells.length > 1 && words.some((cell) => goalHeading.test(cell))) {
      const columns = cells.filter((_, at) => goalHeading.test(words[at] ?? '') || planHeading.test(words[at] ?? ''))
      headed.set(table, new Set(columns.map(({ column }) => column)))
    }
    const columns = headed.get(table)
    return cells
      .filter(({ column }) => column !== null && columns?.has(column))
      .map(({ start, length }) => ({ start, end: start + length }))
  })
  return coverOf(wanted)
}

/** Beside goals stand the steps to them: "Insulin if HbA1c > 8%". */
const planHeading = /\b(?:treatments?|plans?|actions?|services|management|interventions?|strateg(?:y|ies))\b/i
const goalHeading =
  /^\s*(?:\p{L}+ ?(?:[/&]|and) ?)?(?:your )?(?:goals?|targets?)(?: ?(?:[/&]|and|or) ?\p{L}+| range| value)?\s*$/iu

function resultsOf(reading: Reading, segment: Segment, goals: Cover): FoundFact[] {
  const matches = findTerms(observationLexicon(), segment.tokens).filter(
    (match) => !isUnitWord(reading, match) && !match.terms.some((term) => habits.has(term.meaning.concept)),
  )
  const read = matches.flatMap((match, place) => {
    return candidatesOf(reading, segment, match, matches[place + 1]?.start ?? segment.end)
  })
  const candidates = withSharedUnits(
    reading.document.text,
    read.filter(({ match }) => !goals.touches(match)),
  )
  const cues = candidates.length > 0 ? findCues(segment.tokens) : []
  return candidates.flatMap((candidate) => {
    const { status } = assertionOf(segment.tokens, cues, candidate.match)
    if (status === 'family' || status === 'other' || status === 'hypothetical') return []
    if (!isSupported(segment, candidate, candidates)) return []
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
  if (!term || isWanted(text.slice(Math.max(segment.start, match.start - 80), match.start))) return []
  const worded = wordedCandidates(reading, match, term, limit)
  if (worded.length > 0) return worded
  const from = match.end + (filler.exec(text.slice(match.end, Math.min(limit, match.end + 80)))?.[0].length ?? 0)
  const { concept } = term.meaning
  const isPressure = concept === 'observations:blood-pressure-panel'
  const shaped = readShape(text, from, limit, concept) ?? otherShape(text, from, limit, term.meaning)
  const number = shaped ?? (isPressure ? null : numericValues(reading, from, limit))
  // Of what is answered in words, or by a day ("LMP 12/11"), a number without a unit is none.
  const one = term.meaning.isWorded && !shaped && !number?.unit ? null : number
  return (isPressure ? readPressures(text, from, limit) : one ? [one] : []).map((values) => ({
    match,
    observation: term.meaning,
    values,
    isAmbiguous: term.isAmbiguous,
  }))
}

function isWanted(before: string): boolean {
  return aims.test(before.slice(-40)) || aimedAlong.test(before)
}

/** "Aiming for BP < 130/80 and a weight of 85 kg": what is wanted goes on until something is said to be. */
const aimedAlong =
  /\b(?:aim(?:ing|s)? (?:for|to|is|of)|(?:goals?|targets?)(?: (?:is|are|of|for|to))?\s*:?)(?:(?!\b(?:is|was|were|are|had|has|with|at|now|today|currently|from)\b)[^.;:\n\t])*$/i

function otherShape(text: string, from: number, limit: number, { group }: Observation): RowValues | null {
  if (group === 'Eye') return readAcuity(text, from, limit)
  return group === 'Scores' ? readScore(text, from, limit) : null
}

const answer =
  /^(?:(?:weakly |strongly )?(?:positive|negative)|(?:not )?detected|(?:non[- ]?)?reactive|equivocal|indeterminate)(?=[\s,;.)]|$)/i

function wordedCandidates(
  reading: Reading,
  match: Match<Observation>,
  term: Match<Observation>['terms'][0],
  limit: number,
): Candidate[] {
  const { text } = reading.document
  const from = match.end + (filler.exec(text.slice(match.end, Math.min(limit, match.end + 80)))?.[0].length ?? 0)
  const printed = term.isAmbiguous ? null : answer.exec(text.slice(from, limit))?.[0]
  if (!printed) return []
  const end = from + printed.length
  const value = { start: from, end, printed, number: null, comparator: null }
  return [{ match, observation: term.meaning, values: { ...emptyValues(end), value }, isAmbiguous: false }]
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

/** "HDL 1.0, LDL 3.8 and triglycerides 2.6 mmol/L": the unit is printed once, behind the last. */
function withSharedUnits(text: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.reduceRight<Candidate[]>((behind, candidate) => {
    const next = behind[0]
    const { values, observation } = candidate
    const unit = next?.values.unit
    const isListed =
      next !== undefined && /^\s*(?:[HL*↑↓]\s*)?(?:,|\/|and|,\s*and)\s*$/.test(text.slice(values.end, next.match.start))
    const isShared =
      unit &&
      isListed &&
      !values.unit &&
      typeof values.value?.number === 'number' &&
      observation.group === next.observation.group
    const given = isShared ? { ...values, unit } : values
    const fits =
      isShared &&
      fitsUnit(observation, given) &&
      isPlausible(observation.concept, values.value?.number ?? 0, unit.unit.ucum)
    return [fits ? { ...candidate, values: given } : candidate, ...behind]
  }, [])
}

function isSupported(segment: Segment, candidate: Candidate, among: readonly Candidate[]): boolean {
  if (fitsUnit(candidate.observation, candidate.values)) return true
  // `5'10"` is printed of nothing but a height.
  if (compoundQuantity(candidate.values.value?.printed ?? null) !== null) return true
  if (candidate.values.unit && candidate.observation.acceptedUcum.length > 0 && candidate.values.unit.printed !== '%') {
    return !candidate.isAmbiguous && resultSections.has(segment.role.slug ?? '')
  }
  if (!candidate.isAmbiguous) return true
  // A row of them: "T 36.8, HR 78, BP 124/70" says what T and P are wherever it stands.
  const sure = among.filter(({ isAmbiguous }) => !isAmbiguous).length
  return among.length >= 3 && (sure >= 2 || resultSections.has(segment.role.slug ?? ''))
}

function nameRange(reading: Reading, match: { start: number; end: number }) {
  return { start: match.start, end: match.end }
}
