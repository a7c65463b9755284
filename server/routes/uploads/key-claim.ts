import { createHash } from 'node:crypto'
import { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { abandonIdempotentRequest, beginIdempotentRequest } from '../../../db/queries/uploads.ts'
import { idempotencyInProgress, idempotencyKeyReused } from './errors.ts'
import { keepRenewing } from './renewal.ts'
import type { Renewal } from './renewal.ts'
import type { UploadFields } from './schema.ts'

/** A key as one attempt holds it. An attempt that dies loses it within the lock's time; a slow one renews it. */
export type Claim = { readonly profileId: string; readonly key: string; readonly attemptToken: string }

export const lockSeconds = 90
const renewMs = 30_000

const stateSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('started') }),
  z.object({ state: z.literal('in_progress') }),
  z.object({
    state: z.literal('completed'),
    request_hash: z.string().nullable(),
    response_status: z.int(),
    response_body: z.looseObject({ shell_file_id: z.uuid() }),
  }),
])

/** What the first upload under a key was answered with. */
export type EarlierAnswer = Extract<z.output<typeof stateSchema>, { state: 'completed' }>

/** Of what the database said of the key; null when it is ours now. */
export function earlierAnswerOf(state: unknown): EarlierAnswer | null {
  const answer = stateSchema.parse(state)
  if (answer.state === 'in_progress') throw idempotencyInProgress({ retryAfterMs: 2_000 })
  return answer.state === 'completed' ? answer : null
}

export function refuseOtherContent(earlier: EarlierAnswer, requestHash: string): void {
  if (earlier.request_hash !== requestHash) throw idempotencyKeyReused()
}

/** Holds the key for as long as the upload takes; the caller stops it before the key is completed. */
export const keepClaim = (db: Database, actor: Actor, claim: Claim, everyMs: number = renewMs): Renewal =>
  keepRenewing(() => asActor(db, actor, (tx) => beginIdempotentRequest(tx, { ...claim, lockSeconds })), everyMs)

export async function abandonKey(db: Database, actor: Actor, claim: Claim): Promise<void> {
  await asActor(db, actor, (tx) => abandonIdempotentRequest(tx, claim))
}

/** Same content, same person, same fields. Not the file's name: phones invent a new one for each try. */
export function hashRequest(sha256: string, fields: UploadFields, duplicates: 'refuse' | 'keep'): string {
  const { patient_id, estimated_pages, document_date, note } = fields
  const parts = [sha256, patient_id, estimated_pages ?? null, document_date ?? null, note ?? null, duplicates]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
