import { and, eq, ne, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import {
  entityProcessingAudit,
  factSources,
  semanticProcessingSessions,
  type FactRow,
  type FactSourceRow,
  type NewFactRow,
} from '../schema/facts.ts'
import { batchSize, insertInto, insertRows, isAnyOf } from './insert-rows.ts'
import { pairDecided } from './decided-findings.ts'

export type NewSource = Pick<
  FactSourceRow,
  'role' | 'pageNumber' | 'textStart' | 'textLength' | 'quote' | 'x0' | 'y0' | 'x1' | 'y1' | 'confidence01'
>

/** A fact to be kept, with the printed words that it came from. */
export type NewFact = Pick<
  NewFactRow,
  | 'findingKey'
  | 'factType'
  | 'factText'
  | 'factStatus'
  | 'value'
  | 'unit'
  | 'referenceRange'
  | 'foundDate'
  | 'detail'
  | 'concept'
  | 'strength'
  | 'foundByPass'
  | 'foundByProvider'
  | 'foundByModel'
  | 'promptVersion'
> & {
  readonly sessionId: string
  readonly decision: 'found' | 'held'
  readonly decisionReason: string | null
  readonly sources: readonly [NewSource, ...NewSource[]]
}

export type FactsOfFile = {
  readonly shellFileId: string
  readonly patientId: string
  readonly textVersion: number
}

export type NewSession = Omit<typeof semanticProcessingSessions.$inferInsert, 'id' | 'createdAt'>

export type StoredFact = FactRow & { readonly sources: readonly FactSourceRow[] }

export async function saveSession(tx: Tx, session: NewSession): Promise<string> {
  const [row] = await tx
    .insert(semanticProcessingSessions)
    .values(session)
    .returning({ id: semanticProcessingSessions.id })
  if (row === undefined) throw new Error('the session was not stored')
  return row.id
}

/**
 * Replaces what passes found in a file before. The same finding keeps its row and id; what people accepted, edited or
 * rejected is left alone and not found a second time: it only moves to the words of the text that it is found in now.
 * Call `retractFile` first: a fact of the record cannot be replaced. Returns the facts' ids by their finding keys.
 */
export async function replaceFoundFacts(
  tx: Tx,
  file: FactsOfFile,
  facts: readonly NewFact[],
): Promise<ReadonlyMap<string, string>> {
  const stored = await loadFacts(tx, file.shellFileId)
  const decided = pairDecided(stored, facts, file.textVersion)
  const known = new Set(decided.values())
  const news = facts.filter((fact) => !known.has(fact))
  await deleteStaleFacts(tx, file, news)
  await moveDecided(tx, file, decided)
  const idByFinding = new Map<string, string>()
  for (let from = 0; from < news.length; from += batchSize) {
    const saved = await saveFacts(tx, file, news.slice(from, from + batchSize))
    for (const row of saved) idByFinding.set(row.findingKey, row.id)
  }
  // Where a row was there before, its words may be others now.
  const ids = new Set(idByFinding.values())
  await deleteSources(
    tx,
    stored.flatMap(({ id }) => (ids.has(id) ? [id] : [])),
  )
  const sources = news.flatMap((fact) => sourceRows(file, idByFinding.get(fact.findingKey), fact.sources))
  await insertRows(tx, factSources, sources)
  return idByFinding
}

/** The facts of a file with their sources, as pass 2 takes them up. */
export async function loadFacts(tx: Tx, shellFileId: string): Promise<StoredFact[]> {
  const rows = await tx
    .select()
    .from(entityProcessingAudit)
    .where(eq(entityProcessingAudit.shellFileId, shellFileId))
    .orderBy(entityProcessingAudit.id)
  const sources = await tx
    .select()
    .from(factSources)
    .where(eq(factSources.shellFileId, shellFileId))
    .orderBy(factSources.factId, factSources.ordinal)
  const byFact = Map.groupBy(sources, (source) => source.factId)
  return rows.map((row) => ({ ...row, sources: byFact.get(row.id) ?? [] }))
}

/** Ids of the facts of a file that people have decided on. */
export async function decidedFacts(tx: Tx, shellFileId: string): Promise<ReadonlySet<string>> {
  const { id, review } = entityProcessingAudit
  const ofFile = eq(entityProcessingAudit.shellFileId, shellFileId)
  const rows = await tx
    .select({ id })
    .from(entityProcessingAudit)
    .where(and(ofFile, ne(review, 'unreviewed')))
  return new Set(rows.map((row) => row.id))
}

/** Of facts that a person entered the place stays theirs to say. */
async function moveDecided(tx: Tx, file: FactsOfFile, decided: ReadonlyMap<string, NewFact>): Promise<void> {
  const moved = await tx.execute<{ id: string }>(sql`
    update public.entity_processing_audit_v2 as fact
    set text_version = ${file.textVersion},
        finding_key = place.key
    from jsonb_to_recordset(${JSON.stringify([...decided].map(([id, { findingKey: key }]) => ({ id, key })))}::text::jsonb)
      as place (id uuid, key text)
    where fact.id = place.id
      and fact.text_version <> ${file.textVersion}
      and fact.found_by_provider <> 'person'
    returning fact.id
  `)
  const ids = moved.map(({ id }) => id)
  await deleteSources(tx, ids)
  const sources = ids.flatMap((id) => sourceRows(file, id, decided.get(id)?.sources ?? []))
  await insertRows(tx, factSources, sources)
}

async function deleteSources(tx: Tx, factIds: readonly string[]): Promise<void> {
  if (factIds.length > 0) await tx.delete(factSources).where(isAnyOf(factSources.factId, factIds))
}

async function deleteStaleFacts(tx: Tx, file: FactsOfFile, news: readonly NewFact[]): Promise<void> {
  const kept = JSON.stringify(news.map((fact) => fact.findingKey))
  await tx.execute(sql`
    delete from public.entity_processing_audit_v2 as fact
    where fact.shell_file_id = ${file.shellFileId}
      and fact.review = 'unreviewed'
      and not (
        fact.text_version = ${file.textVersion}
        and fact.finding_key in (select jsonb_array_elements_text(${kept}::text::jsonb))
      )
  `)
}

async function saveFacts(
  tx: Tx,
  file: FactsOfFile,
  facts: readonly NewFact[],
): Promise<readonly { id: string; findingKey: string }[]> {
  const rows = facts.map((fact) => factRow(file, fact))
  return await tx.execute<{ id: string; findingKey: string }>(sql`
    ${insertInto(entityProcessingAudit, rows)}
    on conflict (shell_file_id, text_version, finding_key) do update set ${refound}
    returning id, finding_key as "findingKey"
  `)
}

function factRow(file: FactsOfFile, fact: NewFact): NewFactRow {
  const { sources, ...columns } = fact
  if (sources.length < 1) throw new Error('a fact without words on a page does not exist')
  return { ...file, ...columns }
}

function sourceRows(file: FactsOfFile, factId: string | undefined, sources: readonly NewSource[]): FactSourceRow[] {
  if (factId === undefined) return []
  const { shellFileId, patientId, textVersion } = file
  return sources.map((source, ordinal) => ({ factId, ordinal, shellFileId, patientId, textVersion, ...source }))
}

const refound = sql.raw(
  `fact_type = excluded.fact_type, fact_text = excluded.fact_text, fact_status = excluded.fact_status,
  value = excluded.value, unit = excluded.unit, reference_range = excluded.reference_range,
  found_date = excluded.found_date, detail = excluded.detail, concept = excluded.concept, strength = excluded.strength,
  decision = excluded.decision, decision_reason = excluded.decision_reason, confidence = null, confidence_reason = null,
  entry = null, event_id = null, session_id = excluded.session_id, found_by_pass = excluded.found_by_pass,
  found_by_provider = excluded.found_by_provider, found_by_model = excluded.found_by_model,
  prompt_version = excluded.prompt_version, updated_at = now()`,
)
