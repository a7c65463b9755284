import { z } from 'zod'
import { ConfigurationError, flag } from '../env.ts'

export type S3Location = {
  readonly bucket: string
  /** Empty, or ends with a slash. */
  readonly prefix: string
  /** Null: Amazon's own, by region. */
  readonly endpoint: string | null
  /** Null: wherever the SDK finds one (AWS_REGION, a profile). */
  readonly region: string | null
  readonly addressing: 'path' | 'host'
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const prefixPattern = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/
const settings = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .refine((url) => URL.canParse(url) && isPlain(new URL(url)))
    .optional(),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,60}$/)
    .optional(),
  path_style: flag().default(false),
})

/** `s3://bucket/prefix?endpoint=https://…&region=…&path_style=true`. What is wrong is named, never quoted. */
export function parseS3Url(text: string): S3Location {
  if (!URL.canParse(text)) throw wrong('is no address')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw wrong('holds a key; keys belong in AWS_ACCESS_KEY_ID and so on')
  if (url.port !== '' || url.hash !== '') throw wrong('must look like s3://bucket/prefix?endpoint=https://host')
  if (!bucketPattern.test(url.hostname)) throw wrong('has no usable name of a bucket')
  const prefix = url.pathname.replace(/^\//, '').replace(/\/$/, '')
  if (prefix !== '' && !prefixPattern.test(prefix))
    throw wrong('has a prefix of other than letters, digits and . _ - /')

  const asked = settings.safeParse(Object.fromEntries(url.searchParams))
  if (!asked.success) throw wrong('only endpoint, region and path_style may follow, each of its own form')
  const { endpoint = null, region = null, path_style: isPathStyle } = asked.data
  return {
    bucket: url.hostname,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    // Stores that are not Amazon's take any name, and most call their only region this.
    region: region ?? (endpoint === null ? null : 'us-east-1'),
    addressing: isPathStyle ? 'path' : 'host',
  }
}

const isPlain = ({ username, password, search, hash }: URL) => `${username}${password}${search}${hash}` === ''

const wrong = (problem: string) => new ConfigurationError(`STORAGE_URL: ${problem}`)
