import { and, asc, desc, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFileEvents, shellFiles, shellFileStages } from '../schema/documents.ts'
import type { ShellFile, ShellFileStage, Stage } from '../schema/documents.ts'
import { manualReviewQueue } from '../schema/facts.ts'

// Row level security decides which files a transaction sees; nothing here asks again.

export type ShellFileEvent = typeof shellFileEvents.$inferSelect
/** Where a page of a list ended. The time is PostgreSQL's own text: a Date would lose its microseconds. */
export type DocumentCursor = { readonly createdAt: string; readonly id: string }

/** Newest first, one more than asked for if there are more. */
export async function listDocuments(
  tx: Tx,
  page: { readonly patientId: string; readonly limit: number; readonly after: DocumentCursor | null },
): Promise<{ readonly file: ShellFile; readonly cursor: DocumentCursor }[]> {
  const { patientId, limit, after } = page
  const rows = await tx
    .select({ file: shellFiles, createdAtText: sql<string>`${shellFiles.createdAt}::text` })
    .from(shellFiles)
    .where(
      and(
        eq(shellFiles.patientId, patientId),
        isNull(shellFiles.deletedAt),
        after === null
          ? undefined
          : sql`(${shellFiles.createdAt}, ${shellFiles.id}) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    // As the index has it; without these words PostgreSQL would sort, though neither can be null.
    .orderBy(sql`${shellFiles.createdAt} desc nulls last`, sql`${shellFiles.id} desc nulls last`)
    .limit(limit + 1)
  return rows.map(({ file, createdAtText }) => ({ file, cursor: { createdAt: createdAtText, id: file.id } }))
}

export async function findDocument(tx: Tx, documentId: string): Promise<ShellFile | null> {
  const [file] = await tx
    .select()
    .from(shellFiles)
    .where(and(eq(shellFiles.id, documentId), isNull(shellFiles.deletedAt)))
  return file ?? null
}

/** Whether there is such a document for this transaction, in use or in the bin. */
export async function isDocumentOpen(tx: Tx, documentId: string): Promise<boolean> {
  const rows = await tx.select({ id: shellFiles.id }).from(shellFiles).where(eq(shellFiles.id, documentId))
  return rows.length > 0
}

/** Into the bin; without effect on one that lies there. */
export async function deleteDocument(tx: Tx, documentId: string): Promise<void> {
  await tx.execute(sql`select public.delete_shell_file(${documentId}::uuid)`)
}

/** Out of the bin; without effect on one that is in use. */
export async function restoreDocument(tx: Tx, documentId: string): Promise<void> {
  await tx.execute(sql`select public.restore_shell_file(${documentId}::uuid)`)
}

export async function listStages(tx: Tx, documentId: string): Promise<ShellFileStage[]> {
  return await tx
    .select()
    .from(shellFileStages)
    .where(eq(shellFileStages.shellFileId, documentId))
    .orderBy(asc(shellFileStages.position))
}

export async function listEventsAfter(
  tx: Tx,
  documentId: string,
  afterId: number,
  limit: number,
): Promise<ShellFileEvent[]> {
  return await tx
    .select()
    .from(shellFileEvents)
    .where(and(eq(shellFileEvents.shellFileId, documentId), gt(shellFileEvents.id, afterId)))
    .orderBy(asc(shellFileEvents.id))
    .limit(limit)
}

export type IdentityReview = Pick<typeof manualReviewQueue.$inferSelect, 'id' | 'reasons' | 'status' | 'decidedAt'>

/** The newest question whether this document is this person's. */
export async function findIdentityReview(tx: Tx, documentId: string): Promise<IdentityReview | null> {
  const { id, reasons, status, decidedAt, shellFileId, reviewType, createdAt } = manualReviewQueue
  const [review] = await tx
    .select({ id, reasons, status, decidedAt })
    .from(manualReviewQueue)
    .where(and(eq(shellFileId, documentId), eq(reviewType, 'identity')))
    .orderBy(desc(createdAt), desc(id))
    .limit(1)
  return review ?? null
}

export async function decideIdentityReview(tx: Tx, reviewId: string, decision: 'accepted' | 'rejected'): Promise<void> {
  await tx.execute(sql`select public.decide_identity_review(${reviewId}::uuid, ${decision})`)
}

/** Resets the stage and all after it and enqueues the stage's job; gives its id. */
export async function reprocessDocument(tx: Tx, documentId: string, fromStage: Stage): Promise<string> {
  const [row] = await tx.execute<{ job_id: string }>(
    sql`select public.reprocess_shell_file(${documentId}::uuid, ${fromStage}) as job_id`,
  )
  if (row === undefined) throw new Error('reprocess_shell_file answered nothing')
  return row.job_id
}
