import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { shellFiles } from '../schema/documents.ts'
import { entityProcessingAudit, type FactRow } from '../schema/facts.ts'
import { factReviewDecisions, type FactReviewDecision, type rejectionReasons } from '../schema/reviews.ts'
import { columnsOf, entryColumns, type NewCode, type RecordEntry } from './clinical.ts'
import type { NewFact, NewSource } from './found-facts.ts'

/** A fact as a person says that it is, kept beside what was found. */
export type CorrectedFact = Pick<
  NewFact,
  'factText' | 'factStatus' | 'value' | 'unit' | 'referenceRange' | 'foundDate' | 'detail' | 'concept'
>

export type FactVerdict =
  | { readonly decision: 'accepted' }
  | { readonly decision: 'rejected'; readonly reason: (typeof rejectionReasons)[number] }
  | {
      readonly decision: 'edited'
      readonly corrected: CorrectedFact
      readonly entry: RecordEntry | null
      readonly codes: readonly NewCode[]
    }

export type EnteredFact = CorrectedFact & {
  readonly id: string
  readonly factType: FactRow['factType']
  readonly entry: RecordEntry | null
  readonly codes: readonly NewCode[]
  readonly sources: readonly NewSource[]
}

/** A fact that the transaction may see, of a document that is in use. */
export async function findFact(tx: Tx, factId: string): Promise<FactRow | null> {
  const [row] = await tx
    .select({ fact: entityProcessingAudit })
    .from(entityProcessingAudit)
    .innerJoin(shellFiles, eq(shellFiles.id, entityProcessingAudit.shellFileId))
    .where(and(eq(entityProcessingAudit.id, factId), isNull(shellFiles.deletedAt)))
  return row?.fact ?? null
}

/** The function of the database decides who is first; it gives the id of the decision, by which it is taken back. */
export async function decideFact(
  tx: Tx,
  fact: { readonly id: string; readonly seenVersion: string | null },
  verdict: FactVerdict,
): Promise<string> {
  const reason = verdict.decision === 'rejected' ? verdict.reason : null
  const edited = verdict.decision === 'edited' ? verdict : null
  const [row] = await tx.execute<{ id: string }>(sql`
    select public.decide_fact(
      p_fact_id => ${fact.id}::uuid,
      p_decision => ${verdict.decision},
      p_version => ${fact.seenVersion},
      p_reason_code => ${reason},
      p_corrected => ${edited === null ? null : jsonOf(columnsOf(edited.corrected))}::text::jsonb,
      p_entry => ${edited === null ? null : jsonOf(entryColumns(edited.entry))}::text::jsonb,
      p_codes => ${edited === null ? null : jsonOf(edited.codes.map(columnsOf))}::text::jsonb
    ) as id`)
  if (row === undefined) throw new Error('decide_fact answered nothing')
  return row.id
}

/** What a fact is set apart from: all that other documents say, with its other places in its own; or everything, by itself. */
export const apartFroms = ['other_documents', 'all'] as const

/** "These are not the same"; gives the id of the decision. */
export async function separateFact(
  tx: Tx,
  fact: { readonly id: string; readonly seenVersion: string | null },
  apartFrom: (typeof apartFroms)[number],
): Promise<string> {
  const [row] = await tx.execute<{ id: string }>(
    sql`select public.separate_fact(${fact.id}::uuid, ${apartFrom}, ${fact.seenVersion}) as id`,
  )
  if (row === undefined) throw new Error('separate_fact answered nothing')
  return row.id
}

const accepting = z.object({
  decision_id: z.uuid(),
  accepted: z.array(z.uuid()),
  skipped: z.array(
    z.object({ id: z.uuid(), reason: z.enum(['not_in_document', 'not_checked_yet', 'already_decided']) }),
  ),
})

/** Without ids: all that is sure and that nobody has looked at. */
export async function acceptFacts(
  tx: Tx,
  documentId: string,
  asked: { readonly factIds: readonly string[] | null; readonly decisionId: string },
): Promise<z.output<typeof accepting>> {
  const ids = asked.factIds === null ? null : `{${asked.factIds.join(',')}}`
  const [row] = await tx.execute<{ answer: unknown }>(sql`
    select public.accept_facts(${documentId}::uuid, ${ids}::uuid[], ${asked.decisionId}::uuid) as answer`)
  return accepting.parse(row?.answer)
}

export async function enterFact(tx: Tx, documentId: string, entered: EnteredFact): Promise<void> {
  const { id, entry, codes, sources, ...fact } = entered
  await tx.execute(sql`
    select public.enter_fact(
      p_shell_file_id => ${documentId}::uuid,
      p_fact => ${jsonOf(columnsOf(fact))}::text::jsonb,
      p_sources => ${jsonOf(sources.map(columnsOf))}::text::jsonb,
      p_entry => ${jsonOf(entryColumns(entry))}::text::jsonb,
      p_codes => ${jsonOf(codes.map(columnsOf))}::text::jsonb,
      p_fact_id => ${id}::uuid
    )`)
}

export async function undoFactDecision(tx: Tx, documentId: string, decisionId: string): Promise<void> {
  await tx.execute(sql`select public.undo_fact_decision(${documentId}::uuid, ${decisionId}::uuid)`)
}

export type DecisionRow = Pick<
  FactReviewDecision,
  'id' | 'decisionId' | 'factIds' | 'decision' | 'reasonCode' | 'decidedBy' | 'decidedAt' | 'undoneAt'
>

/** What people decided about the facts of a document, newest first. */
export async function listDecisions(tx: Tx, documentId: string): Promise<DecisionRow[]> {
  const { id, decisionId, factIds, decision, reasonCode, decidedBy, decidedAt, undoneAt } = factReviewDecisions
  return await tx
    .select({ id, decisionId, factIds, decision, reasonCode, decidedBy, decidedAt, undoneAt })
    .from(factReviewDecisions)
    .where(eq(factReviewDecisions.shellFileId, documentId))
    .orderBy(desc(decidedAt), desc(id))
}

const jsonOf = (value: unknown) => JSON.stringify(value)
