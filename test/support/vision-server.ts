/**
 * Speaks Vision's REST protocol on the loopback (https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate):
 * what arrives is kept and held to Google's limits, what goes out is told.
 */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

export type VisionAnswer =
  | {
      readonly kind: 'json'
      readonly status?: number
      readonly headers?: Record<string, string>
      readonly body: unknown
    }
  /** The same for each picture. */
  | { readonly kind: 'each'; readonly response: unknown }
  /** One after the other, for the pictures in their order. */
  | { readonly kind: 'responses'; readonly responses: readonly unknown[] }
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly headers?: Record<string, string> }
  | { readonly kind: 'cut off' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'reset in the body' }
  | { readonly kind: 'silence' }

export type VisionRequest = {
  readonly key: string | undefined
  readonly path: string
  readonly body: unknown
  readonly pictures: readonly string[]
  readonly bytes: number
  /** Whether the answer arrived, or the client hung up first. */
  readonly end: Promise<'answered' | 'hung up'>
}

export type VisionServer = {
  readonly port: number
  readonly requests: VisionRequest[]
  answer: VisionAnswer | ((request: VisionRequest) => VisionAnswer | Promise<VisionAnswer>)
  /** Resolves when so many requests have arrived since the beginning. */
  arrived(count: number): Promise<void>
  close(): Promise<void>
}

export async function startVisionServer(): Promise<VisionServer> {
  const requests: VisionRequest[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const key = request.headers['x-goog-api-key']
      const [path = ''] = (request.url ?? '').split('?')
      const text = Buffer.concat(chunks)
      const asked = { key: Array.isArray(key) ? key[0] : key, path, ...askedIn(text), end: endOf(response) }
      requests.push(asked)
      for (const look of waiting) look()
      void answerTo(asked, running.answer).then((answer) => send(response, answer, asked))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const running: VisionServer = {
    port: (server.address() as AddressInfo).port,
    requests,
    answer: { kind: 'each', response: {} },
    arrived: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (requests.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return running
}

const bodySchema = z.object({ requests: z.array(z.object({ image: z.object({ content: z.string() }) })) })

function askedIn(bytes: Buffer) {
  const body: unknown = JSON.parse(bytes.toString('utf8'))
  const pictures = bodySchema.parse(body).requests.map(({ image }) => image.content)
  return { body, pictures, bytes: bytes.byteLength }
}

function endOf(response: ServerResponse): VisionRequest['end'] {
  return new Promise((resolve) => {
    response.on('close', () => resolve(response.writableFinished ? 'answered' : 'hung up'))
  })
}

// https://cloud.google.com/vision/quotas
const maxPictures = 16
const maxBytes = 10 * 1024 * 1024

async function answerTo(asked: VisionRequest, told: VisionServer['answer']): Promise<VisionAnswer> {
  if (asked.path !== '/v1/images:annotate') return visionFailure(404, 'NOT_FOUND')
  if (asked.key === undefined) return visionFailure(403, 'PERMISSION_DENIED')
  if (asked.pictures.length > maxPictures) return visionFailure(400, 'INVALID_ARGUMENT')
  if (asked.bytes > maxBytes) return visionFailure(400, 'INVALID_ARGUMENT')
  return typeof told === 'function' ? await told(asked) : told
}

/** An error as Google words it, in its newer form. */
export function visionFailure(
  status: number,
  word: string,
  more: { readonly headers?: Record<string, string>; readonly details?: readonly unknown[] } = {},
): VisionAnswer {
  const { headers = {}, details } = more
  const message = 'Somebody said: Jane Citizen has diabetes.'
  const error = { code: status, message, status: word, ...(details === undefined ? {} : { details }) }
  return { kind: 'json', status, headers, body: { error } }
}

export const errorInfo = (reason: string) => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata: { service: 'vision.googleapis.com' },
})

function send(response: ServerResponse, answer: VisionAnswer, { pictures }: VisionRequest): void {
  const json = { 'content-type': 'application/json' }
  switch (answer.kind) {
    case 'silence':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'reset in the body':
      response.writeHead(200, { ...json, 'content-length': '5000' })
      response.write('{"responses":[{"fullText', () => response.socket?.resetAndDestroy())
      return
    case 'cut off':
      response.writeHead(200, json)
      response.write('{"responses":[{"fullText')
      response.socket?.end()
      return
    case 'text':
      response.writeHead(answer.status, { 'content-type': 'text/html', ...answer.headers })
      response.end(answer.text)
      return
    case 'each':
      response.writeHead(200, json)
      response.end(JSON.stringify({ responses: pictures.map(() => answer.response) }))
      return
    case 'responses':
      response.writeHead(200, json)
      response.end(JSON.stringify({ responses: answer.responses }))
      return
    case 'json':
      response.writeHead(answer.status ?? 200, { ...json, ...answer.headers })
      response.end(JSON.stringify(answer.body))
  }
}
