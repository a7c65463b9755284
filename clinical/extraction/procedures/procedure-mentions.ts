/** Procedures and imaging in sentences and titles; items of lists come from the lists themselves. */
import type { FoundFact } from '../../document/found-fact.ts'
import { coverOf, firstNotBefore, type Cover } from '../../document/places.ts'
import { bodySiteLexicon, procedureLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms, matchAt, type Match } from '../../terminology/lexicon.ts'
import { foundFact, trimmed, type Range, type Reading } from '../found.ts'
import { cuesOf, speaksOfOthers } from '../statements/mention-context.ts'
import { statedDate } from '../statements/mention-dates.ts'
import { siteEnd } from '../statements/mention-extent.ts'
import { procedureFact } from './procedure-fact.ts'
import { procedureTerms } from './procedure-terms.ts'
import type { Segment } from '../statements/segments.ts'
import { foundDate } from '../statements/dated-context.ts'

const closedSections = new Set([
  'medications',
  'admission-medications',
  'discharge-medications',
  'ceased-medications',
  'allergies',
  'immunisations',
  'patient-details',
  'care-team',
  'payment-and-administrative',
  'comparison',
  'technique',
  'family-history',
  'social-history',
  'review-of-systems',
  'follow-up',
  'discharge-instructions',
  'advance-directives',
])
/** Given or advised at every visit; a record of them says nothing. */
const passing =
  /^(?:physiotherapy|diabetes education|dietary advice|vaccination|sedation|venepuncture|iv cannulation|gp management plan|health assessment|mental health care plan|advance care planning|telehealth consultation|home medicines review|smoking cessation counselling|intramuscular injection|local anaesthesia|general anaesthesia|occupational therapy|speech therapy|psychotherapy|hearing aid fitting|foreign body removal|cpap therapy)$/i
const examTitle =
  /^\s*(?:exam(?:ination)?|study|procedure|type of (?:exam|study)|exam type|modality|investigation|operation(?: performed)?|test)\s*[:\t]\s*(.{4,80})$/i
const modality =
  /\b(?:CT|MRI|MRA|CTA|PET|X-?rays?|ultrasound|US|mammogra\w+|DEXA|doppler|angiogra\w+|echocardiogra\w+|scan|radiograph\w*)\b/

export function findProcedures(reading: Reading, taken: Cover, rowLines: ReadonlySet<number>): FoundFact[] {
  const titles = examTitles(reading)
  const inTitles = coverOf(
    titles.flatMap((fact) => fact.spans.map((span) => ({ start: span.start, end: span.start + span.length }))),
  )
  const isTaken = (range: Range) => taken.touches(range) || inTitles.touches(range)
  const isAside = speaksOfOthers.has(reading.document.documentClass)
  const stated = reading.segments.flatMap((segment, place) => {
    if (isAside && segment.role.slug === null) return []
    if (segment.kind === 'heading' || rowLines.has(segment.firstLine) || closedSections.has(segment.role.slug ?? ''))
      return []
    return statedProcedures(reading, place, segment, isTaken)
  })
  return [...titles, ...stated]
}

function statedProcedures(
  reading: Reading,
  place: number,
  segment: Segment,
  isTaken: (range: Range) => boolean,
): FoundFact[] {
  const cues = cuesOf(reading.segments, place)
  return [...procedureTerms(segment), ...unlistedImaging(segment)].flatMap((match) => {
    const term = match.terms.find((candidate) => !candidate.isAmbiguous)
    const name = { start: sideBefore(segment, match), end: fullEnd(segment, match.to) ?? match.end }
    if (!term || passing.test(term.meaning.name) || isTaken(name)) return []
    if (/\d:\d\d(?:\s?[ap]m)?\s*$/i.test(reading.document.text.slice(Math.max(0, match.start - 10), match.start)))
      return []
    if (isPlannedTest(segment, term.meaning.group)) return []
    const date = statedDate(reading, segment, name, 'performed')
    const fact = procedureFact({ reading, segment, cues }, name, { concept: term.meaning, date, isListed: false })
    if (!fact || fact.status === 'uncertain') return []
    // Of a request only what was done before is told of the patient.
    if (segment.role.slug === 'indication' && fact.status !== 'historical') return []
    return fact.status === 'hypothetical' && term.meaning.group === 'imaging' ? [] : [fact]
  })
}

/** "Right inguinal hernia repair": the side is part of the name. */
function sideBefore({ tokens }: Segment, match: Match<Concept>): number {
  const before = tokens[match.from - 1]
  return before && /^(?:right|left|bilateral)$/i.test(before.text) ? before.start : match.start
}

/** Modalities that the table of procedures lacks, where the site stands with them. */
function unlistedImaging(segment: Segment): Match<Concept>[] {
  return segment.tokens.flatMap((token, place) => {
    if (
      !/^(?:MRA|CTA|MRV|SPECT|DSA|CTKUB|X-?rays?|radiographs?)$/i.test(token.text) ||
      siteEnd(segment, place + 1) === null
    )
      return []
    const meaning = { concept: '', name: token.text, group: 'imaging' }
    return [
      {
        start: token.start,
        end: token.end,
        from: place,
        to: place + 1,
        terms: [{ text: token.text, meaning, isAmbiguous: false }],
      },
    ]
  })
}

/** "MRI of the left foot", "X-ray chest", "CT abdomen with contrast". */
function fullEnd(segment: Segment, to: number): number | null {
  const site = siteEnd(segment, to) ?? matchAt(bodySiteLexicon(), segment.tokens, to, 'any')?.end ?? null
  const rest = segment.tokens.filter((token) => token.start >= (site ?? segment.tokens[to - 1]?.end ?? 0))
  const isContrast = /^with(?:out)?$/i.test(rest[0]?.text ?? '') && /^contrast$/i.test(rest[1]?.text ?? '')
  return isContrast ? (rest[1]?.end ?? site) : site
}

function isPlannedTest(segment: Segment, group: string): boolean {
  return segment.role.slug === 'plan' && group === 'imaging'
}

/** The title of an imaging report names what was done. */
function examTitles(reading: Reading): FoundFact[] {
  const { document } = reading
  const isReport = document.documentClass === 'imaging_report' || document.documentClass === 'pathology_report'
  return document.lines.flatMap((line) => {
    if (line.kind === 'furniture' && !isReport) return []
    const match = examTitle.exec(document.text.slice(line.start, line.start + line.length))
    const printed = match?.[1] ?? ''
    if (!match || (!modality.test(printed) && !isReport) || /\d{2}\/\d{2}|\bdate\b/i.test(printed)) return []
    const start = line.start + match.index + match[0].length - printed.length
    const name = trimmed(document.text, { start, end: start + printed.length })
    const date =
      reading.dates.governing(name.start, ['examined']) ??
      reading.dates.governing(name.start, ['collected']) ??
      reading.dates.governing(name.start, ['document', 'reported'])
    return [
      foundFact(document, {
        type: 'procedure',
        name,
        date: date ? foundDate(date, 'performed') : null,
        detail: { clinicalStatus: 'completed' },
        concept:
          findTerms(procedureLexicon(), segmentAround(reading, name)?.tokens ?? [])[0]?.terms[0]?.meaning.concept ??
          null,
        strength: 'strong',
      }),
    ]
  })
}

function segmentAround({ segments }: Reading, name: Range): Segment | null {
  const first = segments[firstNotBefore(segments, (segment) => segment.end < name.end)]
  return first !== undefined && first.start <= name.start ? first : null
}
