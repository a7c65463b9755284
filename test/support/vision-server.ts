import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type VisionAnswer =
  | {
      readonly kind: 'json'
      readonly status?: number
      readonly headers?: Record<string, string>
      readonly body: unknown
    }
  | { readonly kind: 'cut off' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }

export type VisionServer = {
  readonly port: number
  readonly requests: { readonly key: string | undefined; readonly body: unknown }[]
  answer: VisionAnswer
  close(): Promise<void>
}

/** Speaks Vision's REST protocol on the loopback: what arrives is kept, what goes out is told. */
export async function startVisionServer(): Promise<VisionServer> {
  const requests: VisionServer['requests'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const key = request.headers['x-goog-api-key']
      requests.push({
        key: Array.isArray(key) ? key[0] : key,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
      })
      if (request.url?.startsWith('/v1/images:annotate') === true) send(response, running.answer)
      else response.writeHead(404).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const running: VisionServer = {
    port: (server.address() as AddressInfo).port,
    requests,
    answer: { kind: 'json', body: { responses: [{}] } },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return running
}

function send(response: ServerResponse, answer: VisionAnswer): void {
  if (answer.kind === 'silence') return
  if (answer.kind === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  if (answer.kind === 'cut off') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"responses":[{"fullText')
    response.socket?.end()
    return
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
  response.end(JSON.stringify(answer.body))
}

type Break = 'SPACE' | 'LINE_BREAK' | 'EOL_SURE_SPACE' | null

/** A word as Vision sends it: coordinates of 0 are left out. */
export function visionWord(
  text: string,
  box: readonly [number, number, number, number],
  broken: Break,
  confidence = 0.97,
) {
  const corner = (x: number, y: number) => ({ ...(x === 0 ? {} : { x }), ...(y === 0 ? {} : { y }) })
  const [left, top, right, bottom] = box
  return {
    confidence,
    boundingBox: { vertices: [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)] },
    symbols: text.split('').map((symbol, index) => ({
      text: symbol,
      ...(broken !== null && index === text.length - 1 ? { property: { detectedBreak: { type: broken } } } : {}),
    })),
  }
}

export function visionAnswer(...words: readonly ReturnType<typeof visionWord>[]) {
  const pages = [{ width: 800, height: 1000, blocks: [{ blockType: 'TEXT', paragraphs: [{ words }] }] }]
  return { responses: [{ fullTextAnnotation: { text: '', pages } }] }
}
