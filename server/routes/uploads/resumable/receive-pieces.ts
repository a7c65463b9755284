/**
 * One request that goes on with an upload. Each piece lies in the store before it is counted; the last one is counted in
 * the transaction that registers the file, so that an upload which is whole is a document, whatever died and when.
 * A piece that was stored and not counted is an object without a row, for the sweep.
 */
import { asActor } from '../../../../db/actor.ts'
import type { Actor } from '../../../../db/actor.ts'
import {
  addResumablePiece,
  finishResumableUpload,
  holdResumableUpload,
  releaseResumableUpload,
} from '../../../../db/queries/resumable-uploads.ts'
import type { UploadHold } from '../../../../db/queries/resumable-uploads.ts'
import type { Store } from '../../../../platform/storage/store.ts'
import { uuidV7 } from '../../../../platform/uuid.ts'
import { invalidRequest } from '../../../plugins/errors.ts'
import { raised, raisedAs } from '../../../plugins/raised-errors.ts'
import type { RouteDeps } from '../../../types.ts'
import { UploadAttempt } from '../attempt.ts'
import type { UploadAnswered } from '../attempt.ts'
import { keepRenewing } from '../renewal.ts'
import { cutBody } from './body-pieces.ts'
import type { BodyPieces } from './body-pieces.ts'
import { uploadHeld, uploadOffsetWrong } from './errors.ts'
import { findUpload } from './kept-upload.ts'
import type { KeptUpload } from './kept-upload.ts'

// What a process that is killed in the middle loses of an upload, at most.
const pieceBytes = 4 * 1024 * 1024
const renewMs = 10_000

export type Continuation = {
  readonly actor: Actor
  readonly uploadId: string
  readonly offset: number
  readonly body: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}
export type Continued = { readonly receivedBytes: number; readonly answered: UploadAnswered | null }

export async function continueUpload(deps: RouteDeps, request: Continuation): Promise<Continued> {
  const { actor, uploadId, offset } = request
  const hold = { uploadId, lockToken: uuidV7() }
  await findUpload(deps.db, actor, uploadId)
  const keep = () => asActor(deps.db, actor, (tx) => holdResumableUpload(tx, hold))
  const pieceKey = await keep()
  if (pieceKey === null) throw uploadHeld({ retryAfterMs: 2_000 })
  const renewal = keepRenewing(keep, renewMs)
  try {
    const upload = await findUpload(deps.db, actor, uploadId)
    if (upload.received_bytes !== offset || upload.response_body !== null) throw uploadOffsetWrong()
    return await receive(deps, request, { upload, hold, pieceKey })
  } finally {
    await renewal.stop()
    // What is not given back runs out by itself.
    await asActor(deps.db, actor, (tx) => releaseResumableUpload(tx, hold)).catch((error: unknown) =>
      deps.log.warn({ err: error }, 'a resumable upload was not given back'),
    )
  }
}

type Held = { readonly upload: KeptUpload; readonly hold: UploadHold }
type Receiving = Held & { readonly pieceKey: string }

async function receive(deps: RouteDeps, request: Continuation, held: Receiving): Promise<Continued> {
  const { upload, hold } = held
  const { store, db } = deps
  const body = cutBody(request.body)
  const pieces = [...upload.pieces]
  let receivedBytes = upload.received_bytes
  let key = held.pieceKey
  while (await body.hasMore()) {
    const leftBytes = upload.size_bytes - receivedBytes
    const { sizeBytes } = await store.put(body.next(Math.min(leftBytes, pieceBytes)), { key, maxBytes: pieceBytes })
    pieces.push(key)
    if (sizeBytes === leftBytes) {
      try {
        await refuseMore(body)
        const answered = await register(deps, request, { upload: { ...upload, pieces }, hold })
        return { receivedBytes: upload.size_bytes, answered }
      } finally {
        // What is left over is found and removed later.
        await store.delete(key).catch((error: unknown) => deps.log.warn({ err: error }, 'a piece was not deleted'))
      }
    }
    const piece = { offset: receivedBytes, sizeBytes }
    key = await asActor(db, request.actor, (tx) => addResumablePiece(tx, hold, piece)).catch(takenOver)
    receivedBytes += sizeBytes
  }
  return { receivedBytes, answered: null }
}

async function refuseMore(body: BodyPieces): Promise<void> {
  if (await body.hasMore())
    throw invalidRequest({ errors: [{ path: 'upload-length', message: 'more bytes came than were announced' }] })
}

/** As an upload of one piece: the same attempt, over the bytes that lie in the store. */
async function register(deps: RouteDeps, request: Continuation, { upload, hold }: Held): Promise<UploadAnswered> {
  const { actor, signal } = request
  const attempt = new UploadAttempt(deps, {
    actor,
    key: null,
    leastFileBytes: upload.size_bytes,
    duplicates: upload.keep_both ? 'keep' : 'refuse',
    signal,
    attemptToken: hold.uploadId,
    resumable: hold,
  })
  try {
    const fields = Object.entries(upload.fields).map(([name, value]) => [name, String(value)] as const)
    await attempt.receive({ filename: upload.filename, bytes: joinPieces(deps.store, upload.pieces) }, new Map(fields))
    const answered = await attempt.settle(upload.fields)
    // Answered before under this key: nothing was registered just now.
    if (answered.kind === 'replayed')
      await asActor(deps.db, actor, (tx) => finishResumableUpload(tx, hold, answered.body)).catch(takenOver)
    return answered
  } finally {
    // Not the caller's concern, least of all when the file is registered: what is left over is found and removed later.
    await attempt.undo().catch((error: unknown) => deps.log.error({ err: error }, 'upload not undone'))
  }
}

async function* joinPieces(store: Store, keys: readonly string[]): AsyncIterable<Uint8Array> {
  for (const key of keys) yield* (await store.open(key)).stream
}

const takenOver = raisedAs({ [raised.attemptTakenOver]: () => uploadHeld({ retryAfterMs: 2_000 }) })
