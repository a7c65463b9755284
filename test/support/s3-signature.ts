import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export type S3Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string }

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
const allowedSkewMs = 15 * 60_000

/** The code that S3 would refuse this request with, or null when version 4 of its signatures holds. */
export function signatureProblem(request: IncomingMessage, body: Buffer, known: S3Credentials): string | null {
  const [, keyId, day, region, signed, signature] = form.exec(request.headers.authorization ?? '') ?? []
  if (keyId === undefined || day === undefined || region === undefined || signed === undefined) return 'AccessDenied'
  if (keyId !== known.accessKeyId) return 'InvalidAccessKeyId'

  const names = signed.split(';')
  const isEnoughSigned = ['host', 'x-amz-date', 'x-amz-content-sha256'].every((name) => names.includes(name))
  if (!isEnoughSigned) return 'AccessDenied'
  const time = String(request.headers['x-amz-date'])
  if (!time.startsWith(day) || Math.abs(Date.now() - instantOf(time)) > allowedSkewMs) return 'RequestTimeTooSkewed'
  const payload = String(request.headers['x-amz-content-sha256'])
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return 'XAmzContentSHA256Mismatch'

  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical(request, names, payload))}`
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${known.secretAccessKey}`)
  return hmac(key, text).toString('hex') === signature ? null : 'SignatureDoesNotMatch'
}

function canonical(request: IncomingMessage, names: readonly string[], payload: string): string {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const parameters = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .toSorted()
  const headers = names.map((name) => `${name}:${String(request.headers[name]).trim().replaceAll(/\s+/g, ' ')}\n`)
  return [request.method, path, parameters.join('&'), headers.join(''), names.join(';'), payload].join('\n')
}

const instantOf = (time: string) =>
  Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
