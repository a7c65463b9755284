import { and, eq, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFiles, shellFileStages, type Stage, type StageStatus } from '../schema/documents.ts'
import { manualReviewQueue } from '../schema/facts.ts'
import { userProfiles } from '../schema/identity.ts'

/** What a stage needs to know of its file. */
export type FileInStage = {
  readonly shellFileId: string
  readonly patientId: string
  readonly filename: string
  readonly mimeType: string
  readonly storageKey: string
  readonly sizeBytes: number
  readonly pageCount: number | null
  readonly documentDate: string | null
  readonly reviewState: 'none' | 'pending' | 'accepted' | 'rejected'
  readonly stageStatus: StageStatus
}

export type ProfileNames = {
  readonly fullName: string | null
  readonly displayName: string
  readonly dateOfBirth: string | null
}

/** null: there is no such file any more, or it lies in the bin. */
export async function fileInStage(tx: Tx, shellFileId: string, stage: Stage): Promise<FileInStage | null> {
  const [row] = await tx
    .select({
      shellFileId: shellFiles.id,
      patientId: shellFiles.patientId,
      filename: shellFiles.filename,
      mimeType: shellFiles.mimeType,
      storageKey: shellFiles.storageKey,
      sizeBytes: shellFiles.sizeBytes,
      pageCount: shellFiles.pageCount,
      documentDate: shellFiles.documentDate,
      reviewState: shellFiles.reviewState,
      stageStatus: shellFileStages.status,
    })
    .from(shellFiles)
    .innerJoin(shellFileStages, and(eq(shellFileStages.shellFileId, shellFiles.id), eq(shellFileStages.stage, stage)))
    .where(and(eq(shellFiles.id, shellFileId), sql`${shellFiles.deletedAt} is null`))
  return row ?? null
}

export async function profileNames(tx: Tx, patientId: string): Promise<ProfileNames> {
  const [row] = await tx
    .select({
      fullName: userProfiles.fullName,
      displayName: userProfiles.displayName,
      dateOfBirth: userProfiles.dateOfBirth,
    })
    .from(userProfiles)
    .where(eq(userProfiles.id, patientId))
  if (row === undefined) throw new Error('the file belongs to a profile that does not exist')
  return row
}

export type FileFindings = Partial<
  Pick<typeof shellFiles.$inferInsert, 'pageCount' | 'qualityGrade' | 'documentClass' | 'locale'>
>

export async function noteOnFile(tx: Tx, shellFileId: string, findings: FileFindings): Promise<void> {
  await tx.update(shellFiles).set(findings).where(eq(shellFiles.id, shellFileId))
}

/** The file waits for a person. Asking twice is asking once. */
export async function askForIdentityReview(
  tx: Tx,
  file: { readonly shellFileId: string; readonly patientId: string },
  reasons: readonly string[],
): Promise<void> {
  await tx
    .insert(manualReviewQueue)
    .values({ ...file, reviewType: 'identity', reasons: [...reasons] })
    .onConflictDoUpdate({
      target: [manualReviewQueue.shellFileId, manualReviewQueue.reviewType],
      targetWhere: sql`status = 'pending'`,
      set: { reasons: [...reasons] },
    })
  await tx.update(shellFiles).set({ reviewState: 'pending' }).where(eq(shellFiles.id, file.shellFileId))
}
