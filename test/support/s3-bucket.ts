import { randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import type { ListMultipartUploadsCommandInput, MultipartUpload } from '@aws-sdk/client-s3'
import { z } from 'zod'
import { newKey } from '../../platform/storage/object-key.ts'
import type { Teardown } from './postgres.ts'
import { startS3Server } from './s3-server.ts'
import type { S3Credentials } from './s3-signature.ts'

export type TestBucket = {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly credentials: S3Credentials
  /** More than its server lists in one answer. */
  readonly severalPages: number
}

const realServer = z.object({
  S3_TEST_ENDPOINT: z.url(),
  S3_TEST_ACCESS_KEY_ID: z.string().min(1),
  S3_TEST_SECRET_ACCESS_KEY: z.string().min(1),
  S3_TEST_BUCKET: z.string().default('exora-test'),
  S3_TEST_REGION: z.string().default('us-east-1'),
})

/** A bucket of the server that `S3_TEST_ENDPOINT` names, made where it is missing; without one, of our own. */
export async function openTestBucket(t: Teardown): Promise<TestBucket> {
  if (process.env['S3_TEST_ENDPOINT'] === undefined) {
    const server = await startS3Server(t, { pageSize: 3 })
    return { ...server, region: 'test-1', severalPages: 23 }
  }
  const asked = realServer.parse(process.env)
  const bucket: TestBucket = {
    endpoint: asked.S3_TEST_ENDPOINT,
    bucket: asked.S3_TEST_BUCKET,
    region: asked.S3_TEST_REGION,
    credentials: { accessKeyId: asked.S3_TEST_ACCESS_KEY_ID, secretAccessKey: asked.S3_TEST_SECRET_ACCESS_KEY },
    severalPages: 1_005,
  }
  const client = clientOf(bucket)
  await client.send(new CreateBucketCommand({ Bucket: bucket.bucket })).catch((error: unknown) => {
    if (!(error instanceof Error && error.name.startsWith('BucketAlready'))) throw error
  })
  client.destroy()
  return bucket
}

/** A place in a bucket that is a test's alone, seen by other ways than those of the store. */
export function openTestPrefix(t: Teardown, bucket: TestBucket, prefix = `t-${randomUUID()}`) {
  const client = clientOf(bucket)
  const target = { Bucket: bucket.bucket, Prefix: `${prefix}/` }
  const objects = async () => {
    const pages = await Array.fromAsync(paginateListObjectsV2({ client }, target))
    return pages.flatMap(({ Contents = [] }) => Contents.map(({ Key = '' }) => Key))
  }
  const uploads = async () => {
    const found: MultipartUpload[] = []
    let after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> = {}
    for (;;) {
      const page = await client.send(new ListMultipartUploadsCommand({ ...target, ...after }))
      found.push(...(page.Uploads ?? []))
      if (page.IsTruncated !== true) return found
      after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    }
  }
  t.teardown(async () => {
    for (const { Key, UploadId } of await uploads())
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket.bucket, Key, UploadId }))
    await Promise.all(
      (await objects()).map((Key) => client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key }))),
    )
    client.destroy()
  })
  return {
    prefix,
    everything: async () => [...(await objects()), ...(await uploads()).map(({ Key = '' }) => Key)],
    leaveUnfinished: async () => {
      const Key = `${prefix}/${newKey()}`
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket.bucket, Key }))
    },
    /** Puts a little, past the store. */
    putAt: async (name: string) => {
      const Key = `${prefix}/${name}`
      await client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: 'little' }))
    },
  }
}

const clientOf = ({ endpoint, region, credentials }: TestBucket) =>
  new S3Client({
    endpoint,
    region,
    credentials: { ...credentials },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
