/**
 * tus 1.0 with its creation extension: make an upload, send piece after piece from the offset that the server holds, ask
 * for the offset whenever an answer was lost. What an upload in one go is answered with, a whole one tells when it is read.
 */
import { reasonOf } from '../abort.ts'
import { ExoraError } from '../exora-error.ts'
import { passes, pause } from '../retries.ts'
import type { Patience } from '../retries.ts'
import { jsonOf } from '../transport.ts'
import type { Answer, Transport } from '../transport.ts'
import type { ResumableState, UploadAnswer } from '../types.ts'
import { fieldsOf, nameOf } from './send-form.ts'
import type { FormUpload } from './send-form.ts'

export type Resumable = { readonly finish: () => Promise<UploadAnswer> }
export type ResumableUpload = FormUpload & { readonly pieceBytes: number; readonly patience: Patience }

const version = { 'tus-resumable': '1.0.0' }
const forgotten = new Set([404, 410])

export async function createResumable(transport: Transport, resuming: ResumableUpload): Promise<Resumable> {
  const { upload, signal, onProgress } = resuming
  const file = 'uri' in upload.file ? await (await transport.fetch(upload.file.uri)).blob() : upload.file
  let place: string | null = null
  let offset = 0

  const isGone = (error: ExoraError) => place !== null && forgotten.has(error.status)
  const step = async (isSure: boolean): Promise<UploadAnswer | null> => {
    if (place === null) {
      place = await create(transport, resuming, file.size)
      offset = 0
    } else if (!isSure) offset = await offsetAt(transport, place, signal)
    onProgress?.({ sentBytes: offset, totalBytes: file.size })
    if (offset < file.size) {
      offset = offsetOf(await sendPiece(transport, resuming, { place, file, offset }))
      onProgress?.({ sentBytes: offset, totalBytes: file.size })
    }
    return offset < file.size ? null : await answerOf(transport, place, signal)
  }

  return {
    finish: async () => {
      const { patience } = resuming
      let furthest = -1
      for (let isSure = false; ;) {
        try {
          const answer = await step(isSure)
          if (answer !== null) return answer
          isSure = true
          patience.renew()
        } catch (error) {
          if (signal?.aborted === true) throw reasonOf(signal)
          if (!(error instanceof ExoraError)) throw error
          // What was kept is over. Should it have become a document, the key tells which.
          if (isGone(error)) place = null
          else if (error.code !== 'upload_offset_wrong' && !passes(error, 'always')) throw error
          isSure = false
          if (offset > furthest) patience.renew()
          furthest = Math.max(furthest, offset)
          const waitMs = patience.waitAfter(error)
          if (waitMs === null) throw error
          await pause(waitMs, signal)
        }
      }
    },
  }
}

async function create(transport: Transport, resuming: ResumableUpload, sizeBytes: number): Promise<string> {
  const { upload, key, signal } = resuming
  const pairs = [...fieldsOf(upload), ['filename', nameOf(upload)], ['idempotency_key', key]]
  const headers = {
    ...version,
    'upload-length': String(sizeBytes),
    'upload-metadata': pairs.map(([name, value = '']) => `${name} ${base64(value)}`).join(','),
  }
  const url = transport.urlOf('/documents/upload/resumable', { keep_both: upload.keep_both })
  const answer = await send(transport, url, { method: 'POST', headers, signal })
  const place = answer.headers.get('location')
  if (place === null) throw new TypeError('the server named no place for the upload')
  return /^https?:/.test(place) ? place : transport.urlOf(place)
}

async function offsetAt(transport: Transport, place: string, signal: AbortSignal | undefined): Promise<number> {
  const answer = await send(transport, place, { method: 'HEAD', headers: version, signal })
  return offsetOf(answer)
}

function offsetOf(answer: Answer): number {
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN)
  if (Number.isNaN(offset)) throw new TypeError('the server did not say how far the upload is')
  return offset
}

/** Only what is whole has one. */
async function answerOf(
  transport: Transport,
  place: string,
  signal: AbortSignal | undefined,
): Promise<UploadAnswer | null> {
  const answer = await send(transport, place, { method: 'GET', headers: version, signal })
  return (await jsonOf<ResumableState>(answer)).upload
}

type Piece = { readonly place: string; readonly file: Blob; readonly offset: number }

function sendPiece(transport: Transport, resuming: ResumableUpload, { place, file, offset }: Piece): Promise<Answer> {
  const headers = {
    ...version,
    'upload-offset': String(offset),
    'content-type': 'application/offset+octet-stream',
  }
  const body = file.slice(offset, offset + resuming.pieceBytes)
  return send(transport, place, { method: 'PATCH', headers, body, signal: resuming.signal })
}

type Sending = {
  readonly method: 'GET' | 'HEAD' | 'PATCH' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Blob
  readonly signal: AbortSignal | undefined
}

function send(transport: Transport, url: string, { method, headers, body, signal }: Sending): Promise<Response> {
  const rest = { ...(body === undefined ? {} : { body }), ...(signal === undefined ? {} : { signal }) }
  return transport.once(url, headers, (to, all) => transport.fetch(to, { method, headers: all, ...rest }))
}

/** Of the text as UTF-8. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
