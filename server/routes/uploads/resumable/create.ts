import { asActor } from '../../../../db/actor.ts'
import type { Actor } from '../../../../db/actor.ts'
import { beginResumableUpload } from '../../../../db/queries/resumable-uploads.ts'
import { uuidV7 } from '../../../../platform/uuid.ts'
import { raised, raisedAs } from '../../../plugins/raised-errors.ts'
import type { RouteDeps } from '../../../types.ts'
import { fileTooLarge } from '../errors.ts'
import { mayUpload } from '../may-upload.ts'
import { tooManyOpenUploads } from './errors.ts'
import type { UploadMetadata } from './metadata.ts'

export type Creation = UploadMetadata & { readonly sizeBytes: number; readonly duplicates: 'refuse' | 'keep' }

// One of the account's others may end at any time.
const comeBackMs = 30_000

/** Access and limits are settled before a byte is sent, and again when the last has come. */
export async function createUpload(
  { db, config }: RouteDeps,
  actor: Actor,
  { fields, filename, sizeBytes, duplicates }: Creation,
): Promise<{ readonly uploadId: string; readonly expiresAt: Date }> {
  const { maxBytes, resumable } = config.uploads
  if (sizeBytes > maxBytes) throw fileTooLarge({ maxBytes })
  const uploadId = uuidV7()
  const { patient_id: patientId, estimated_pages: pages = 1 } = fields
  await mayUpload(db, actor, { patientId, sizeBytes, estimatedPages: pages, claim: null })
  const upload = { uploadId, patientId, sizeBytes, filename, fields, duplicates, ...resumable }
  const expiresAt = await asActor(db, actor, (tx) => beginResumableUpload(tx, upload)).catch(
    raisedAs({ [raised.tooManyOpen]: () => tooManyOpenUploads({ retryAfterMs: comeBackMs }) }),
  )
  return { uploadId, expiresAt }
}
