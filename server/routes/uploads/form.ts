import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../../platform/errors.ts'
import { invalidRequest } from '../../plugins/errors.ts'
import { fileTooLarge, missingField, uploadBroken } from './errors.ts'
import { uploadFields } from './schema.ts'
import type { UploadFields } from './schema.ts'

export type FilePart = { readonly filename: string; readonly bytes: AsyncIterable<Uint8Array> }
/** The fields that came so far, as text; the file may stand anywhere among them. */
export type FieldsSoFar = ReadonlyMap<string, string>

const maxFields = 16
const maxFieldBytes = 8_192
const maxPartHeaders = 16

/** Reads the form part by part; `onFile` takes the file while the parts behind it are still on their way. */
export async function readForm(
  request: FastifyRequest,
  { maxBytes, formOverheadBytes }: { readonly maxBytes: number; readonly formOverheadBytes: number },
  onFile: (file: FilePart, fields: FieldsSoFar) => Promise<void>,
): Promise<UploadFields> {
  const fields = new Map<string, string>()
  let files = 0
  // One byte more than allowed reaches the store, which then says that it is too many.
  const limits = {
    fileSize: maxBytes + 1,
    files: 2,
    fields: maxFields,
    parts: maxFields + 2,
    fieldSize: maxFieldBytes,
    headerPairs: maxPartHeaders,
    headerSize: maxFieldBytes,
  }
  const parts = request.parts({ limits })

  const first = parts.next().catch(refuse)
  limitBody(request.raw, maxBytes + formOverheadBytes)
  for (let part = await first; part.done !== true; part = await parts.next().catch(refuse)) {
    const { value } = part
    if (value.type === 'file') {
      files += 1
      if (files > 1) throw invalidRequest({ errors: [{ path: 'file', message: 'exactly one file at a time' }] })
      if (value.fieldname !== 'file') throw missingField({ errors: [{ path: 'file', message: 'is required' }] })
      await onFile({ filename: cleanFilename(value.filename), bytes: whole(value.file) }, fields)
    } else {
      const text = textOf(value, fields)
      if (text !== '') fields.set(value.fieldname, text)
    }
  }
  const read = readFields(fields)
  if (files === 0) throw missingField({ errors: [{ path: 'file', message: 'is required' }] })
  return read
}

export function readFields(fields: FieldsSoFar): UploadFields {
  if (!fields.has('patient_id')) throw missingField({ errors: [{ path: 'patient_id', message: 'is required' }] })
  const read = uploadFields.safeParse(Object.fromEntries(fields))
  if (read.success) return read.data
  throw invalidRequest({
    errors: read.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  })
}

type FieldPart = {
  /** Undefined where the part names none. */
  readonly fieldname: string | undefined
  readonly value: unknown
  readonly valueTruncated: boolean
}

function textOf({ fieldname, value, valueTruncated }: FieldPart, earlier: FieldsSoFar): string {
  const refused = (message: string) => invalidRequest({ errors: [{ path: (fieldname ?? '').slice(0, 100), message }] })
  if (fieldname === undefined) throw refused('is a part without a name')
  if (valueTruncated || earlier.has(fieldname)) throw refused('is too long or given twice')
  // A part may say that it is JSON; then it comes parsed.
  if (typeof value !== 'string' && typeof value !== 'number') throw refused('is not text')
  const text = String(value)
  // What stood here cannot be known any more, so it must not be kept as if it could.
  if (text.includes('\ufffd')) throw refused('is not UTF-8')
  return text
}

/** Also what is neither file nor field: what stands before the first boundary, behind the last, or in parts of no kind. */
function limitBody(request: IncomingMessage, maxBytes: number): void {
  let bytes = 0
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    const isFirstTooMuch = bytes > maxBytes && bytes - chunk.byteLength <= maxBytes
    if (isFirstTooMuch && request.listenerCount('error') > 0) request.emit('error', fileTooLarge({ maxBytes }))
  })
}

// A form that cannot be parsed, and a connection that broke, are both told as what they are; limits keep their codes.
function refuse(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof AppError || code === 'FST_INVALID_MULTIPART_CONTENT_TYPE') throw error
  if (/^FST_(PARTS|FILES|FIELDS)_LIMIT$/.test(code))
    throw invalidRequest({ cause: error, detail: 'The form has too many parts.' })
  throw uploadBroken({ cause: error })
}

async function* whole(file: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* file
  } catch (error) {
    throw error instanceof AppError ? error : uploadBroken({ cause: error })
  }
}

/** The name as its owner knows the file, without the path of their machine and without what cannot be shown. */
export function cleanFilename(given: string | undefined): string {
  const name = (given ?? '').toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const shown = name.replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '').trim()
  // PostgreSQL counts characters, JavaScript their halves: this may cut one in two, and well-formed again drops it.
  const short = shown
    .slice(0, 255)
    .toWellFormed()
    .replace(/\ufffd$/, '')
    .trimEnd()
  // Dots alone are a place, not a name.
  return /^\.*$/.test(short) ? 'document' : short
}

/**
 * After a refusal the rest of the body is read and thrown away, within reason: a client that is still sending would
 * otherwise find its connection reset before it could read the answer.
 */
export function discardRest(request: IncomingMessage, budgetBytes: number): void {
  if (request.readableEnded || request.destroyed) return
  let leftBytes = budgetBytes
  request.unpipe()
  request.on('data', (chunk: Uint8Array) => {
    leftBytes -= chunk.byteLength
    if (leftBytes < 0) request.destroy()
  })
  request.resume()
}
