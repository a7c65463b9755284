import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Counter } from 'prom-client'
import { overloaded, tooManyRequests } from '../errors.ts'

/** One open answer of server-sent events. */
export type EventStream = {
  readonly accountId: string
  /** What is told to many is the same bytes for all. Says nothing once the token is over. */
  readonly write: (text: string | Uint8Array) => void
  readonly end: (text?: string) => void
  readonly isOpen: () => boolean
}

/**
 * All streams of this server: how many there may be, their heartbeats and their ends. One timer serves all of them: each
 * second a fifteenth gets its heartbeat, and those whose token is over end.
 */
export type EventStreams = {
  readonly requireRoom: (accountId: string) => void
  readonly open: (reply: FastifyReply, wanted: WantedStream) => EventStream
  readonly count: () => number
  /** The server is about to stop: everybody is told when to come back. */
  readonly end: () => void
  readonly stop: () => void
}

export type WantedStream = {
  readonly accountId: string
  readonly expiresAt: Date
  readonly onBeat?: () => void
  readonly onClose: () => void
}

export type StreamLimits = { readonly maxStreams: number; readonly maxPerAccount: number }
type Kept = { readonly stream: EventStream; readonly slot: number; readonly wanted: WantedStream }

const slots = 15
const tickMs = 1_000
/** A reader that is this far behind is cut off; it comes back with `Last-Event-ID` and has missed nothing. */
const maxUnreadBytes = 256 * 1024

export function createEventStreams(
  limits: StreamLimits,
  dropped: Counter,
  onTick: () => void = () => {},
): EventStreams {
  const kept = new Set<Kept>()
  const perAccount = new Map<string, number>()
  let slot = 0
  let opened = 0

  const tick = () => {
    slot = (slot + 1) % slots
    const now = Date.now()
    for (const one of kept) {
      if (one.wanted.expiresAt.getTime() <= now) one.stream.end()
      else if (one.slot === slot) {
        one.stream.write(heartbeat)
        one.wanted.onBeat?.()
      }
    }
    onTick()
  }
  const timer = setInterval(tick, tickMs).unref()

  return {
    requireRoom: (accountId) => {
      if (kept.size >= limits.maxStreams) throw overloaded({ retryAfterMs: 10_000 })
      if ((perAccount.get(accountId) ?? 0) >= limits.maxPerAccount) throw tooManyRequests({ retryAfterMs: 10_000 })
    },
    open: (reply, wanted) => {
      const { accountId } = wanted
      const stream = openStream(reply, wanted, () => dropped.inc())
      const one: Kept = { stream, wanted, slot: (opened += 1) % slots }
      kept.add(one)
      perAccount.set(accountId, (perAccount.get(accountId) ?? 0) + 1)
      reply.raw.once('close', () => {
        kept.delete(one)
        const left = (perAccount.get(accountId) ?? 1) - 1
        if (left === 0) perAccount.delete(accountId)
        else perAccount.set(accountId, left)
        wanted.onClose()
      })
      return stream
    },
    count: () => kept.size,
    end: () => {
      // Not all at once: whoever takes over would have to let all of them in together.
      for (const { stream } of kept) stream.end(`retry: ${1_000 + Math.floor(Math.random() * 4_000)}\n\n`)
    },
    stop: () => clearInterval(timer),
  }
}

const heartbeat = Buffer.from(': still here\n\n')

function openStream(reply: FastifyReply, { accountId, expiresAt }: WantedStream, onDropped: () => void): EventStream {
  reply.hijack()
  const raw: ServerResponse = reply.raw
  const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.map(String) : String(value)] as const],
  )
  raw.writeHead(200, {
    ...Object.fromEntries(headers),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.write('retry: 2000\n\n')
  const isOpen = () => !raw.writableEnded && !raw.destroyed
  const end = (text?: string) => {
    if (isOpen()) raw.end(text)
  }
  return {
    accountId,
    isOpen,
    end,
    write: (text) => {
      if (!isOpen()) return
      if (expiresAt.getTime() <= Date.now()) return end()
      raw.write(text)
      if (raw.writableLength <= maxUnreadBytes) return
      onDropped()
      raw.destroy()
    },
  }
}
