/** Pass 1 by rules: every fact of one mapped document, verbatim and tied to its words. Deterministic, no I/O after the tables are loaded. */
import type { FindFacts, FoundFact } from '../document/found-fact.ts'
import type { MappedDocument } from '../document/mapped.ts'
import { readDates } from './dated-context.ts'
import type { Reading } from './found.ts'
import { readLineRoles } from './line-roles.ts'
import { findMedications } from './medications.ts'
import { findTableResults } from './result-tables.ts'
import { findRunningResults } from './running-results.ts'
import { segmentDocument } from './segments.ts'
import { readTables } from './table-columns.ts'

export const findFacts: FindFacts = (document) => {
  const dates = readDates(document)
  const roles = readLineRoles(document)
  const reading: Reading = { document, dates, roles, segments: segmentDocument(document, roles) }
  const tables = readTables(document, dates)
  const tabled = findTableResults(reading, tables)
  const results = [...tabled.facts, ...findRunningResults(reading, tabled.claimed)]
  const facts = [...results, ...findMedications(reading, tables, rangesOf(results))]
  return { facts, unreadLines: unreadLines(document, facts) }
}

function unreadLines(document: MappedDocument, facts: readonly FoundFact[]): number[] {
  const spans = facts.flatMap((fact) => fact.spans)
  return document.lines.flatMap((line, place) => {
    const isClaimed = spans.some(
      (span) => span.start < line.start + line.length && line.start < span.start + span.length,
    )
    return isClaimed || line.kind === 'furniture' || line.kind === 'heading' || line.kind === 'table_header'
      ? []
      : [place]
  })
}

function rangesOf(facts: readonly FoundFact[]): { start: number; end: number }[] {
  return facts.flatMap((fact) => fact.spans.map(({ start, length }) => ({ start, end: start + length })))
}
