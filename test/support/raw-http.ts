import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A connection on which anything can be said, byte by byte. */
export type RawConnection = {
  readonly socket: Socket
  readonly say: (...parts: readonly (string | Uint8Array)[]) => void
  /** What has been heard once it fits; rejects when the connection ends before. */
  readonly heard: (fits: RegExp) => Promise<string>
  /** All that is heard until the other side ends the connection. */
  readonly untilClosed: () => Promise<string>
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  let text = ''
  let isOver = false
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    tell()
  })
  // A reset is an end, too.
  socket.on('error', () => {})
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      isOver = true
      tell()
    })
  await once(socket, 'connect')
  const until = async (isEnough: () => boolean): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (isEnough() || isOver) resolve()
    }
    listeners.add(look)
    look()
    await promise
    listeners.delete(look)
    return text
  }
  return {
    socket,
    say: (...parts) => {
      for (const part of parts) if (!socket.destroyed) socket.write(part)
    },
    heard: async (fits) => {
      await until(() => fits.test(text))
      if (!fits.test(text)) throw new Error(`the connection ended with: ${text.slice(0, 500)}`)
      return text
    },
    untilClosed: async () => {
      await until(() => false)
      socket.destroy()
      return text
    },
  }
}

/** The head of a request; each header as it stands. */
export const head = (line: string, headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, 'host: exora.test', ...headers, '', ''].join('\r\n')
