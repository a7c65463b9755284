/** Pass 1 by rules: every fact of one mapped document, verbatim and tied to its words. Deterministic, no I/O after the tables are loaded. */
import type { FindFacts, FoundFact } from '../document/found-fact.ts'
import type { MappedDocument } from '../document/mapped.ts'
import { coverOf, touchedBy, type Cover } from '../document/places.ts'
import { struckWordsOf } from '../document/struck-words.ts'
import { withoutStruckWords } from '../document/struck-words.ts'
import { findAllergies } from './allergies/allergies.ts'
import { findBoxesToTick } from './statements/boxes-to-tick.ts'
import { findMentions } from './conditions/condition-mentions.ts'
import { findTableMentions } from './conditions/condition-tables.ts'
import type { DatedContext } from './statements/dated-context.ts'
import { findEncounters } from './encounters/encounters.ts'
import type { Range, Reading } from './found.ts'
import { findIdentity } from './people/identity.ts'
import { findImagingResults } from './conditions/imaging-statements.ts'
import { findImmunisations } from './immunisations/immunisations.ts'
import { findMedications } from './medicines/medications.ts'
import { mergeDuplicates, withoutRuledOut } from './statements/merge-duplicates.ts'
import { findMicrobiology } from './results/microbiology.ts'
import { findPhysicalFindings } from './conditions/physical-findings.ts'
import { openReading } from './statements/open-reading.ts'
import { findProcedures } from './procedures/procedure-mentions.ts'
import { notOfPatient, rangesRuledOut } from './statements/ruled-out.ts'
import { findCardResults } from './results/result-cards.ts'
import { findTableResults } from './results/result-tables.ts'
import { findRunningResults } from './results/running-results.ts'
import { findSocialHistory } from './conditions/social-history.ts'
import { readAroundStrikes } from './statements/struck-out.ts'
import { readTables } from './statements/table-columns.ts'
import { findWordedResults } from './results/worded-results.ts'

export const findFacts: FindFacts = (document) => {
  const found = readAroundStrikes(document, readPrinted)
  const facts = withoutRuledOut(mergeDuplicates(found)).toSorted((a, b) => placeOf(a) - placeOf(b))
  return {
    facts,
    unreadLines: unreadLines(document, facts),
    ruledOut: rangesRuledOut(openReading(withoutStruckWords(document))),
  }
}

function readPrinted(document: MappedDocument): FoundFact[] {
  const reading = openReading(document)
  const { isUnticked } = findBoxesToTick(document)
  const ofNoConcern = coverOf(notOfPatient(reading))
  return readFacts(reading)
    .filter((fact) => !isUnticked(placeOf(fact)) && !isOfNoConcern(ofNoConcern, fact))
    .map((fact) => withDateSpan(document, reading.dates, fact))
}

/** Whose document it is, and where it was written, is told in letters about anything; a relative's illness and what may be are no claim. */
function isOfNoConcern(cover: Cover, fact: FoundFact): boolean {
  if (fact.type === 'identity' || fact.type === 'encounter') return false
  if (fact.status === 'hypothetical' || fact.status === 'family') return false
  const at = placeOf(fact)
  return cover.touches({ start: at, end: at + 1 })
}

/** The surer grammar goes first; what it claimed is not read again as something looser. */
function readFacts(reading: Reading): FoundFact[] {
  const tables = readTables(reading.document, reading.dates)
  const tabled = findTableResults(reading, tables)
  const carded = findCardResults(reading, coverOf([...rangesOf(tabled.facts), ...tabled.headings]))
  const printed = [...tabled.facts, ...carded]
  printed.push(...findWordedResults(reading, coverOf(rangesOf(printed))))
  const taken = coverOf(rangesOf(printed))
  const running = findRunningResults(reading, tabled.claimed)
  const measured = [...printed, ...running.filter((fact) => !rangesOf([fact]).some(taken.touches))]
  const { facts: cultures, antibiogram } = findMicrobiology(reading, coverOf(rangesOf(measured)))
  const ofPatient = (fact: FoundFact) => !rangesOf([fact]).some(antibiogram.touches)
  const specific = [
    ...measured,
    ...cultures,
    ...findAllergies(reading, tables).filter(ofPatient),
    ...findImmunisations(reading, tables),
  ]
  specific.push(...findMedications(reading, tables, coverOf(rangesOf(specific))).filter(ofPatient))
  const known = coverOf(rangesOf(specific))
  const listed = findTableMentions(reading, tables, known)
  const rowLines = new Set([...tabled.claimed, ...listed.lines])
  const mentions = [...listed.facts, ...findMentions(reading, known, rowLines)]
  const procedures = findProcedures(reading, coverOf(rangesOf([...specific, ...mentions])), rowLines)
  return [
    ...specific,
    ...mentions,
    ...procedures,
    ...findPhysicalFindings(reading, coverOf(rangesOf([...specific, ...mentions]))),
    ...findImagingResults(reading),
    ...findSocialHistory(reading),
    ...findEncounters(reading),
    ...findIdentity(reading),
  ]
}

/** A date printed on the fact's own line belongs to its box; the collection date at the top of the page does not. */
function withDateSpan(document: MappedDocument, dates: DatedContext, fact: FoundFact): FoundFact {
  const at = placeOf(fact)
  const [line] = touchedBy(document.lines, { start: at, end: at + 1 })
  if (!line || !fact.date || fact.type === 'identity' || fact.spans.some((span) => span.role === 'date')) return fact
  const own = dates.within(line.start, line.start + line.length).filter((date) => date.iso === fact.date?.iso)
  const nearest = own.toSorted((a, b) => Math.abs(a.start - at) - Math.abs(b.start - at))[0]
  if (!nearest) return fact
  return {
    ...fact,
    spans: [...fact.spans, { role: 'date', start: nearest.start, length: nearest.end - nearest.start }],
  }
}

function unreadLines(document: MappedDocument, facts: readonly FoundFact[]): number[] {
  const claimed = coverOf(rangesOf(facts))
  const struck = struckWordsOf(document)
  return document.lines.flatMap((line, place) => {
    const range = { start: line.start, end: line.start + line.length }
    // A line that is struck out was read: it says nothing any more.
    const isClaimed = claimed.touches(range) || struck.covers(range)
    return isClaimed || line.kind === 'furniture' || line.kind === 'heading' || line.kind === 'table_header'
      ? []
      : [place]
  })
}

function placeOf(fact: FoundFact): number {
  return fact.spans[0]?.start ?? 0
}

function rangesOf(facts: readonly FoundFact[]): Range[] {
  return facts.flatMap((fact) =>
    fact.spans.filter((span) => span.role !== 'cue').map(({ start, length }) => ({ start, end: start + length })),
  )
}
