import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { TestApp } from './app.ts'
import { formType } from './multipart.ts'

/** A request whose head has been sent; its body is for the test to write. */
export async function openUpload(
  { url }: Pick<TestApp, 'url'>,
  headers: Readonly<Record<string, string>>,
  length: number,
): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const all = { host: hostname, 'content-type': formType, 'content-length': String(length), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.write(['POST /documents/upload HTTP/1.1', ...lines, '', ''].join('\r\n'))
  return socket
}
