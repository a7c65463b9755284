import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Teardown } from './postgres.ts'

export type ClamdAnswer =
  /** Sent once the body has come, or at once for `early`, which then reads nothing more. */
  | { readonly kind: 'says'; readonly text: string }
  | { readonly kind: 'early'; readonly text: string }
  | { readonly kind: 'half'; readonly text: string }
  | { readonly kind: 'reset above'; readonly bytes: number }
  | { readonly kind: 'silence' }

export type ClamdServer = {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string }
  /** The bodies that came whole. */
  readonly bodies: Buffer[]
  version: string
  answer: ClamdAnswer
  readonly open: () => number
}

/** Speaks clamd's protocol on the loopback or a socket of its own. */
export async function startClamd(t: Teardown, path?: string): Promise<ClamdServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    serve(socket, running)
  })
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const running: ClamdServer = {
    address: path === undefined ? { host: '127.0.0.1', port: (server.address() as AddressInfo).port } : { path },
    bodies: [],
    version: 'ClamAV 1.4.6/27123/Tue Mar  3 09:12:44 2026',
    answer: { kind: 'says', text: 'stream: OK' },
    open: () => sockets.size,
  }
  return running
}

const isCommand = (buffer: Buffer, command: string) => buffer.indexOf(`z${command}\0`) === 0

function serve(socket: Socket, running: ClamdServer): void {
  let buffer = Buffer.alloc(0)
  let isStreaming = false
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    if (!isStreaming && isCommand(buffer, 'VERSION')) socket.end(`${running.version}\0`)
    else if (!isStreaming && isCommand(buffer, 'INSTREAM')) {
      isStreaming = true
      buffer = buffer.subarray('zINSTREAM\0'.length)
      const { answer } = running
      if (answer.kind === 'early') socket.end(`${answer.text}\0`)
    }
    if (isStreaming) answerBody(socket, buffer, running)
  })
}

function answerBody(socket: Socket, buffer: Buffer, { answer, bodies }: ClamdServer): void {
  if (answer.kind === 'reset above' && buffer.length > answer.bytes) socket.resetAndDestroy()
  const body = bodyOf(buffer)
  if (body === null) return
  bodies.push(body)
  if (answer.kind === 'says') socket.end(`${answer.text}\0`)
  if (answer.kind === 'half') socket.end(answer.text)
}

/** Null until the piece of length zero has come. */
function bodyOf(buffer: Buffer): Buffer | null {
  const pieces: Buffer[] = []
  for (let at = 0; at + 4 <= buffer.length;) {
    const length = buffer.readUInt32BE(at)
    if (length === 0) return Buffer.concat(pieces)
    pieces.push(buffer.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return null
}
