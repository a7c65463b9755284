import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Counter } from 'prom-client'
import { overloaded, tooManyRequests, unauthenticated } from '../errors.ts'

/** One open answer of server-sent events. */
export type EventStream = {
  readonly accountId: string
  /** What is told to many is the same bytes for all. Says nothing once the token is over. */
  readonly write: (text: string | Uint8Array) => void
  readonly end: (text?: string) => void
  readonly beat: () => void
  readonly isOpen: () => boolean
  readonly onClose: (work: () => void) => void
  /** With each heartbeat. */
  readonly onBeat: (work: () => void) => void
}

/**
 * All streams of this server: how many there may be, their heartbeats and their ends. One timer serves all of them: each
 * second a fifteenth gets its heartbeat, and those whose token is over end.
 */
export type EventStreams = {
  readonly requireRoom: (wanted: WantedStream) => void
  readonly open: (reply: FastifyReply, wanted: WantedStream) => EventStream
  readonly count: () => number
  /** The server is about to stop: everybody is told when to come back. */
  readonly end: () => void
  readonly stop: () => void
}

export type WantedStream = {
  readonly accountId: string
  readonly expiresAt: Date
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
  const places = createPlaces(limits)
  let slot = 0
  let opened = 0
  const timer = setInterval(() => {
    slot = (slot + 1) % slots
    beatOf(kept, slot)
    onTick()
  }, tickMs).unref()

  return {
    requireRoom: places.require,
    open: (reply, wanted) => {
      // Many may have come since it was asked first.
      places.require(wanted)
      const stream = openStream(reply, wanted, () => dropped.inc())
      const leave = places.take(wanted.accountId)
      const one: Kept = { stream, wanted, slot: (opened += 1) % slots }
      kept.add(one)
      stream.onClose(() => {
        kept.delete(one)
        leave()
      })
      return stream
    },
    count: () => kept.size,
    end: () => {
      places.close()
      // Not all at once: whoever takes over would have to let all of them in together.
      for (const { stream } of kept) stream.end(`retry: ${1_000 + Math.floor(Math.random() * 4_000)}\n\n`)
    },
    stop: () => clearInterval(timer),
  }
}

/** A heartbeat for those of this slot, and the end for those whose token is over. */
function beatOf(kept: ReadonlySet<Kept>, slot: number): void {
  const now = Date.now()
  for (const one of kept) {
    if (one.wanted.expiresAt.getTime() <= now) one.stream.end()
    else if (one.slot === slot) one.stream.beat()
  }
}

/** How many there are, and of each account. */
function createPlaces(limits: StreamLimits) {
  const perAccount = new Map<string, number>()
  let taken = 0
  let isClosed = false
  const requireRoom = ({ accountId, expiresAt }: WantedStream) => {
    // Clocks differ, so requests may come a little late. A stream would end at once, and its client come back with the same.
    if (expiresAt.getTime() <= Date.now()) throw unauthenticated()
    if (isClosed || taken >= limits.maxStreams) throw overloaded({ retryAfterMs: 10_000 })
    if ((perAccount.get(accountId) ?? 0) >= limits.maxPerAccount) throw tooManyRequests({ retryAfterMs: 10_000 })
  }
  return {
    require: requireRoom,
    /** Returns what gives the place back. */
    take: (accountId: string) => {
      taken += 1
      perAccount.set(accountId, (perAccount.get(accountId) ?? 0) + 1)
      return () => {
        taken -= 1
        const left = (perAccount.get(accountId) ?? 1) - 1
        if (left === 0) perAccount.delete(accountId)
        else perAccount.set(accountId, left)
      }
    },
    close: () => {
      isClosed = true
    },
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
  const write = (text: string | Uint8Array) => {
    if (!isOpen()) return
    if (expiresAt.getTime() <= Date.now()) return end()
    raw.write(text)
    if (raw.writableLength <= maxUnreadBytes) return
    onDropped()
    raw.destroy()
  }
  const onBeats: (() => void)[] = []
  return {
    accountId,
    isOpen,
    end,
    write,
    beat: () => {
      write(heartbeat)
      for (const work of onBeats) work()
    },
    onBeat: (work) => void onBeats.push(work),
    // It may have gone before it was opened, and would not say so again.
    onClose: (work) => void (raw.closed ? work() : raw.once('close', work)),
  }
}
