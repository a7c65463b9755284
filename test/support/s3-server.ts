import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { uuidV7 } from '../../platform/uuid.ts'
import type { Teardown } from './postgres.ts'
import { signatureProblem } from './s3-signature.ts'
import type { S3Credentials } from './s3-signature.ts'

/**
 * The far side of the S3 store: a bucket in memory, path-style addresses, as much of the protocol as the store uses.
 * Signatures are verified with the secret, bodies must be what was signed, and framed (aws-chunked) bodies and
 * checksums beyond the protocol's first ones are refused.
 */
export type S3Server = {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: S3Credentials
  readonly objects: Map<string, Kept>
  readonly uploads: Map<string, Unfinished>
  /** What was asked so far, refused or not. */
  readonly asked: readonly Operation[]
  /** The next requests of this kind end so, one each. */
  fails(operation: Operation, ...troubles: readonly Trouble[]): void
  /** All of them do, until it is mended. */
  breaks(operation: Operation, trouble: Trouble): { readonly mend: () => void }
  /** The next request of this kind waits, done but not answered, until it is let go. */
  holds(operation: Operation): { readonly reached: Promise<void>; readonly letGo: () => void }
}

export type Kept = { readonly bytes: Buffer; readonly modifiedAt: Date }
export type Unfinished = { readonly key: string; readonly initiatedAt: Date; readonly parts: Map<number, Buffer> }
/**
 * `lost`: done, and the connection breaks before the answer. `cut`: half of the answer's body. `silent`, `stalls`: the
 * same, but the connection stays open.
 */
export type Trouble =
  | 'internal_error'
  | 'slow_down'
  | 'reset'
  | 'lost'
  | 'cut'
  | 'ignores_range'
  | 'late_error'
  | 'silent'
  | 'stalls'
export type Operation = keyof typeof operations

type Bucket = Pick<S3Server, 'bucket' | 'objects' | 'uploads'> & { readonly pageSize: number }
type Ask = {
  readonly key: string
  readonly query: URLSearchParams
  readonly range: string | null
  readonly body: Buffer
}
type Reply = { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: Buffer }

export async function startS3Server(
  t: Teardown,
  { pageSize = 1_000 }: { readonly pageSize?: number } = {},
): Promise<S3Server> {
  const credentials = { accessKeyId: 'exora-test', secretAccessKey: randomBytes(20).toString('hex') }
  const state: Bucket = { bucket: 'exora-files', objects: new Map(), uploads: new Map(), pageSize }
  const asked: Operation[] = []
  const troubles: { operation: Operation; trouble: Trouble }[] = []
  const broken = new Map<Operation, Trouble>()
  const holds: { operation: Operation; enter: () => Promise<void> }[] = []
  const take = <T extends { operation: Operation }>(list: T[], operation: Operation): T | undefined => {
    const found = list.findIndex((one) => one.operation === operation)
    return found === -1 ? undefined : list.splice(found, 1)[0]
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request)
    const { operation, bucket, ask } = read(request, body)
    asked.push(operation)
    const trouble = take(troubles, operation)?.trouble ?? broken.get(operation)
    if (trouble === 'reset') return response.destroy()
    const reply = attempt(() => {
      if (trouble === 'internal_error') throw new Refusal(500, 'InternalError')
      if (trouble === 'slow_down') throw new Refusal(503, 'SlowDown')
      refuseChecksums(request)
      const problem = signatureProblem(request, body, credentials)
      if (problem !== null) throw new Refusal(403, problem)
      if (bucket !== state.bucket) throw new Refusal(404, 'NoSuchBucket')
      return operations[operation](state, trouble === 'ignores_range' ? { ...ask, range: null } : ask)
    })
    await take(holds, operation)?.enter()
    if (trouble === 'lost') return response.destroy()
    if (trouble === 'silent') return undefined
    return send(response, request, trouble === 'late_error' ? xml(errorText('InternalError')) : reply, trouble)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    ...state,
    endpoint: `http://127.0.0.1:${port}`,
    credentials,
    asked,
    fails: (operation, ...kinds) => void troubles.push(...kinds.map((trouble) => ({ operation, trouble }))),
    breaks: (operation, trouble) => {
      broken.set(operation, trouble)
      return { mend: () => void broken.delete(operation) }
    },
    holds: (operation) => {
      const reached = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      const enter = () => {
        reached.resolve()
        return released.promise
      }
      holds.push({ operation, enter })
      return { reached: reached.promise, letGo: () => released.resolve() }
    },
  }
}

class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

function read(request: IncomingMessage, body: Buffer): { operation: Operation; bucket: string; ask: Ask } {
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://localhost')
  const [, bucket = '', ...rest] = decodeURIComponent(pathname).split('/')
  const ask = { key: rest.join('/'), query, range: request.headers.range ?? null, body }
  return { operation: operationOf(request.method ?? '', ask), bucket, ask }
}

function operationOf(method: string, { key, query }: Ask): Operation {
  if (key === '' && method === 'HEAD') return 'HeadBucket'
  if (key === '') return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2'
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
  if (method === 'PUT') return query.has('uploadId') ? 'UploadPart' : 'PutObject'
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
  return method === 'HEAD' ? 'HeadObject' : 'GetObject'
}

function refuseChecksums({ headers }: IncomingMessage): void {
  const isFramed =
    /aws-chunked/.test(headers['content-encoding'] ?? '') ||
    String(headers['x-amz-content-sha256']).startsWith('STREAMING-') ||
    'x-amz-trailer' in headers
  // As stores do that are older than these headers.
  const asksForChecksum = Object.keys(headers).some((name) => /^x-amz-(sdk-)?checksum/.test(name))
  if (isFramed || asksForChecksum) throw new Refusal(501, 'NotImplemented')
}

function attempt(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ...xml(errorText(error.code)), status: error.status }
  }
}

function send(response: ServerResponse, request: IncomingMessage, reply: Reply, trouble: Trouble | undefined): void {
  const { status = 200, headers = {}, body = Buffer.alloc(0) } = reply
  response.writeHead(status, { 'content-length': String(body.length), 'x-amz-request-id': 'test', ...headers })
  if (request.method === 'HEAD' || status === 204) response.end()
  else if (trouble === 'cut') response.write(body.subarray(0, body.length / 2), () => response.destroy())
  else if (trouble === 'stalls') response.write(body.subarray(0, body.length / 2))
  else response.end(body)
}

const minPartBytes = 5 * 1024 * 1024

const operations = {
  HeadBucket: (): Reply => ({}),
  PutObject: (state: Bucket, { key, body }: Ask): Reply => {
    state.objects.set(key, { bytes: body, modifiedAt: new Date() })
    return { headers: { etag: etagOf(body) } }
  },
  GetObject: (state: Bucket, { key, range }: Ask): Reply => {
    const { bytes, modifiedAt } = objectAt(state, key)
    const headers = { 'last-modified': modifiedAt.toUTCString(), etag: etagOf(bytes) }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    if (first === undefined || last === undefined) return { headers, body: bytes }
    const [start, end] = [Number(first), Math.min(Number(last), bytes.length - 1)]
    if (start > end) throw new Refusal(416, 'InvalidRange')
    const contentRange = `bytes ${start}-${end}/${bytes.length}`
    return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: bytes.subarray(start, end + 1) }
  },
  HeadObject: (state: Bucket, { key }: Ask): Reply => {
    const { bytes, modifiedAt } = objectAt(state, key)
    return { headers: { 'content-length': String(bytes.length), 'last-modified': modifiedAt.toUTCString() } }
  },
  DeleteObject: (state: Bucket, { key }: Ask): Reply => {
    state.objects.delete(key)
    return { status: 204 }
  },
  ListObjectsV2: (state: Bucket, { query }: Ask): Reply => {
    const from = query.get('continuation-token') ?? ''
    const keys = [...state.objects.keys()].filter(startsWith(query.get('prefix'))).toSorted()
    const { page, last } = pageOf(keys, (key) => key > from, state.pageSize)
    const contents = page.map((key) => {
      const { bytes, modifiedAt } = objectAt(state, key)
      return `<Contents><Key>${escaped(key)}</Key><Size>${bytes.length}</Size><LastModified>${modifiedAt.toISOString()}</LastModified></Contents>`
    })
    const more = last === null ? '' : `<NextContinuationToken>${escaped(last)}</NextContinuationToken>`
    return list('ListBucketResult', last, `${contents.join('')}${more}`)
  },
  CreateMultipartUpload: (state: Bucket, { key }: Ask): Reply => {
    const uploadId = uuidV7()
    state.uploads.set(uploadId, { key, initiatedAt: new Date(), parts: new Map() })
    return xml(`<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`)
  },
  UploadPart: (state: Bucket, ask: Ask): Reply => {
    uploadAt(state, ask).parts.set(Number(ask.query.get('partNumber')), ask.body)
    return { headers: { etag: etagOf(ask.body) } }
  },
  CompleteMultipartUpload: (state: Bucket, ask: Ask): Reply => {
    const bytes = joinParts(uploadAt(state, ask), ask.body.toString())
    state.objects.set(ask.key, { bytes, modifiedAt: new Date() })
    state.uploads.delete(ask.query.get('uploadId') ?? '')
    return xml(`<CompleteMultipartUploadResult><Key>${ask.key}</Key></CompleteMultipartUploadResult>`)
  },
  AbortMultipartUpload: (state: Bucket, ask: Ask): Reply => {
    uploadAt(state, ask)
    state.uploads.delete(ask.query.get('uploadId') ?? '')
    return { status: 204 }
  },
  ListMultipartUploads: (state: Bucket, { query }: Ask): Reply => {
    const from = `${query.get('key-marker') ?? ''} ${query.get('upload-id-marker') ?? ''}`
    const known = [...state.uploads].map(([uploadId, { key, initiatedAt }]) => ({ uploadId, key, initiatedAt }))
    const placeOf = ({ key, uploadId }: { key: string; uploadId: string }) => `${key} ${uploadId}`
    const sorted = known
      .filter(({ key }) => startsWith(query.get('prefix'))(key))
      .toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1))
    const { page, last } = pageOf(sorted, (one) => placeOf(one) > from, state.pageSize)
    const uploads = page.map(
      ({ key, uploadId, initiatedAt }) =>
        `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>${initiatedAt.toISOString()}</Initiated></Upload>`,
    )
    const more =
      last === null
        ? ''
        : `<NextKeyMarker>${last.key}</NextKeyMarker><NextUploadIdMarker>${last.uploadId}</NextUploadIdMarker>`
    return list('ListMultipartUploadsResult', last, `${uploads.join('')}${more}`)
  },
}

function objectAt(state: Bucket, key: string): Kept {
  const found = state.objects.get(key)
  if (found === undefined) throw new Refusal(404, 'NoSuchKey')
  return found
}

function uploadAt(state: Bucket, { key, query }: Ask): Unfinished {
  const found = state.uploads.get(query.get('uploadId') ?? '')
  if (found?.key !== key) throw new Refusal(404, 'NoSuchUpload')
  return found
}

function joinParts({ parts }: Unfinished, wanted: string): Buffer {
  const listed = [...wanted.matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => {
    const bytes = parts.get(Number(/<PartNumber>(\d+)</.exec(part)?.[1]))
    const etag = /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"')
    if (bytes === undefined || etag !== etagOf(bytes)) throw new Refusal(400, 'InvalidPart')
    return bytes
  })
  if (listed.slice(0, -1).some(({ length }) => length < minPartBytes)) throw new Refusal(400, 'EntityTooSmall')
  return Buffer.concat(listed)
}

function pageOf<T>(all: readonly T[], isBehind: (one: T) => boolean, pageSize: number) {
  const left = all.filter(isBehind)
  const page = left.slice(0, pageSize)
  return { page, last: left.length > pageSize ? (page.at(-1) ?? null) : null }
}

const list = (name: string, last: unknown, content: string) =>
  xml(`<${name}><IsTruncated>${last !== null}</IsTruncated>${content}</${name}>`)
const xml = (text: string): Reply => ({
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`),
})
const errorText = (code: string) => `<Error><Code>${code}</Code><Message>as asked for</Message></Error>`
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
const startsWith = (prefix: string | null) => (key: string) => key.startsWith(prefix ?? '')
const etagOf = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
