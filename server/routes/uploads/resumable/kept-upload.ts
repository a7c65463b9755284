import { z } from 'zod'
import { asActor } from '../../../../db/actor.ts'
import type { Actor } from '../../../../db/actor.ts'
import type { Database } from '../../../../db/client.ts'
import { findResumableUpload } from '../../../../db/queries/resumable-uploads.ts'
import { notFound } from '../../../plugins/errors.ts'
import { uploadAnswer, uploadFields } from '../schema.ts'

const keptUpload = z.object({
  size_bytes: z.int(),
  received_bytes: z.int(),
  filename: z.string(),
  fields: uploadFields,
  keep_both: z.boolean(),
  pieces: z.array(z.string()),
  response_body: uploadAnswer.nullable(),
  expires_at: z.coerce.date(),
})
export type KeptUpload = z.output<typeof keptUpload>

/** Another account's upload is answered as one that never was. */
export async function findUpload(db: Database, actor: Actor, uploadId: string): Promise<KeptUpload> {
  const found = await asActor(db, actor, (tx) => findResumableUpload(tx, uploadId))
  if (found === null) throw notFound()
  return keptUpload.parse(found)
}
