import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import type { GetObjectCommandOutput, MultipartUpload } from '@aws-sdk/client-s3'
import { ConfigurationError } from '../env.ts'
import { isKey } from './object-key.ts'
import { isBehindEnd, isMissing, s3Failure } from './s3-failure.ts'
import type { S3Location } from './s3-location.ts'
import { putObject } from './s3-put.ts'
import type { S3Place } from './s3-put.ts'
import { storageRefused } from './storage-fault.ts'
import { objectNotFound } from './store.ts'
import type { ByteRange, Store, StoredObject } from './store.ts'

/** Objects in a bucket of any store that speaks S3: `<prefix>f3/<uuid>`. */
export async function openS3Store(location: S3Location, patience: Patience = usualPatience): Promise<Store> {
  const client = createClient(location, patience)
  await requireSettings(client)
  const place = { client, bucket: location.bucket, prefix: location.prefix }
  return {
    put: (source, limits) => putObject(place, source, limits),
    open: (key, range) => openObject(place, key, range),
    head: (key) => headObject(place, key),
    delete: (key) => deleteObject(place, key),
    list: () => listObjects(place),
    sweepTemporary: (limits) => sweepTemporary(place, limits.olderThanMs),
  }
}

export type Patience = {
  readonly connectMs: number
  /** Silence, not duration: a slow reader of a large file is waited for as long as it takes something now and then. */
  readonly silenceMs: number
}
const usualPatience: Patience = { connectMs: 5_000, silenceMs: 60_000 }
// Each file that is being read holds a connection for as long as its reader takes; with the SDK's 50, that many slow
// readers would keep everybody else out.
const maxSockets = 512

function createClient({ endpoint, region, addressing }: S3Location, patience: Patience): S3Client {
  return new S3Client({
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    forcePathStyle: addressing === 'path',
    // Otherwise the SDK adds checksums that many stores refuse, and one was seen to store the framing with the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A store answers SlowDown in its normal life; what is repeated is one part that we still hold, not an upload.
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: patience.connectMs,
      socketTimeout: patience.silenceMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  })
}

/** What is missing is said when the process starts and not with the first upload. */
async function requireSettings({ config }: S3Client): Promise<void> {
  await config.region().catch(() => {
    throw new ConfigurationError('STORAGE_URL: region is missing, and AWS_REGION is not set')
  })
  await config.credentials().catch(() => {
    throw new ConfigurationError('AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: the store in STORAGE_URL needs them')
  })
}

async function openObject(place: S3Place, key: string, range?: ByteRange) {
  if (!isKey(key)) throw objectNotFound()
  const answer = await getObject(place, key, range)
  if (answer === 'behind_end') return await openNothing(place, key)
  const { Body: stream, ContentLength: lengthBytes, ContentRange: part } = answer
  if (!(stream instanceof Readable)) throw storageRefused()
  const sizeBytes = range === undefined ? lengthBytes : sizeIn(part)
  if (sizeBytes === undefined) {
    // A store, or a proxy before it, that takes no notice of ranges: other bytes than those asked for.
    stream.destroy()
    throw storageRefused()
  }
  return { stream, sizeBytes }
}

async function getObject(
  { client, bucket, prefix }: S3Place,
  key: string,
  range: ByteRange | undefined,
): Promise<GetObjectCommandOutput | 'behind_end'> {
  const part = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }
  try {
    return await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${key}`, ...part }))
  } catch (error) {
    if (isMissing(error)) throw objectNotFound()
    if (isBehindEnd(error)) return 'behind_end'
    throw s3Failure(error)
  }
}

/** As a file read from behind its end: it is there, and gives nothing. */
async function openNothing(place: S3Place, key: string) {
  const found = await headObject(place, key)
  if (found === null) throw objectNotFound()
  return { stream: Readable.from([]), sizeBytes: found.sizeBytes }
}

function sizeIn(contentRange: string | undefined): number | undefined {
  const size = contentRange?.match(/^bytes \d+-\d+\/(\d+)$/)?.[1]
  return size === undefined ? undefined : Number(size)
}

async function headObject({ client, bucket, prefix }: S3Place, key: string): Promise<StoredObject | null> {
  if (!isKey(key)) return null
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}${key}` }))
    return storedObject(key, answer.ContentLength, answer.LastModified)
  } catch (error) {
    if (!isMissing(error)) throw s3Failure(error)
  }
  // An answer to HEAD has no body, so a missing bucket looks like a missing object.
  await client.send(new HeadBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
    throw s3Failure(error)
  })
  return null
}

function storedObject(key: string, sizeBytes: number | undefined, modifiedAt: Date | undefined): StoredObject {
  if (sizeBytes === undefined || modifiedAt === undefined) throw storageRefused()
  return { key, sizeBytes, modifiedAt }
}

async function deleteObject({ client, bucket, prefix }: S3Place, key: string): Promise<void> {
  if (!isKey(key)) return
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}${key}` })).catch((error: unknown) => {
    if (!isMissing(error)) throw s3Failure(error)
  })
}

async function* listObjects({ client, bucket, prefix }: S3Place): AsyncIterable<StoredObject> {
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '', Size, LastModified } of Contents) {
        const key = Key.slice(prefix.length)
        if (isKey(key)) yield storedObject(key, Size, LastModified)
      }
    }
  } catch (error) {
    throw s3Failure(error)
  }
}

async function sweepTemporary(place: S3Place, olderThanMs: number): Promise<{ removed: number }> {
  const before = Date.now() - olderThanMs
  let removed = 0
  try {
    for await (const upload of listUploads(place)) {
      const isOurs = isKey((upload.Key ?? '').slice(place.prefix.length))
      const isOld = upload.Initiated !== undefined && upload.Initiated.getTime() <= before
      if (isOurs && isOld && (await abortUpload(place, upload))) removed += 1
    }
  } catch (error) {
    throw s3Failure(error)
  }
  return { removed }
}

async function* listUploads({ client, bucket, prefix }: S3Place): AsyncIterable<MultipartUpload> {
  let after: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after }))
    yield* page.Uploads ?? []
    const { NextKeyMarker: key, NextUploadIdMarker: uploadId } = page
    if (page.IsTruncated !== true || key === undefined || key === '') return
    after = { KeyMarker: key, ...(uploadId === undefined ? {} : { UploadIdMarker: uploadId }) }
  }
}

/** False when it ended in the meantime. */
async function abortUpload({ client, bucket }: S3Place, { Key, UploadId }: MultipartUpload): Promise<boolean> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
