import type { FastifyReply } from 'fastify'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import type { Logger } from '../../../platform/log.ts'
import type { Metrics } from '../../../platform/telemetry.ts'
import { channel as fileChannel } from '../file-events.ts'
import { unauthenticated } from '../errors.ts'
import { tellMissed } from './catch-up.ts'
import { createEventStreams } from './event-streams.ts'
import type { EventStreams, StreamLimits } from './event-streams.ts'
import { createFeed } from './feed.ts'
import type { Page } from './feed.ts'
import { wordReady } from './frames.ts'
import { createListeners } from './listeners.ts'
import type { Listener } from './listeners.ts'
import type { EventId } from './position.ts'

/** What happens, told to accounts as it happens: read once for all of them, decided for all in one statement. */
export type Realtime = {
  readonly streams: EventStreams
  /** Hijacks the reply. */
  readonly follow: (reply: FastifyReply, wanted: Followed) => Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export type Followed = {
  readonly actor: Actor
  readonly expiresAt: Date
  /** Null: from now on. */
  readonly after: EventId | null
}

const notificationChannel = 'exora_account_notifications'
const maxCatchingUp = 8
// A connection that LISTENs and hears nothing costs a listener so much at most.
const ticksPerLook = 2
// Of many transactions that commit at once one notifies (db/sql/30-files.sql). Most others have committed by then; what
// the look of every other second finds is the rest.
const lookAgainMs = 100

export function createRealtime(db: Database, log: Logger, metrics: Metrics, limits: StreamLimits): Realtime {
  const told = metrics.counter('exora_events_told_total', 'Writes of events to streams of accounts')
  const dropped = metrics.counter('exora_event_streams_dropped_total', 'Streams cut off because nobody read them')
  const lag = metrics.histogram('exora_event_lag_seconds', 'From an event to its last write')
  const listeners = createListeners((count) => told.inc(count))
  const feed = createFeed(db, log, async (page) => {
    await listeners.tell(page)
    lag.observe(ageOf(page))
  })
  const ears = createEars(db, log, () => feed.found())
  const look = () => void feed.look().catch(() => {})
  const streams = createEventStreams(limits, dropped, () => {
    if (listeners.count() === 0) return feed.rest()
    if (ears.isTimeToLook()) look()
  })
  const admit = createGate(maxCatchingUp)
  const lookIfListenedTo = () => {
    ears.hear()
    if (listeners.count() > 0) look()
  }
  let again: NodeJS.Timeout | null = null
  const wake = () => {
    lookIfListenedTo()
    again ??= setTimeout(() => {
      again = null
      lookIfListenedTo()
    }, lookAgainMs).unref()
  }
  let subscriptions: readonly { stop: () => Promise<void> }[] = []

  return {
    streams,
    follow: async (reply, { actor, expiresAt, after }) => {
      const { accountId } = actor
      if (accountId === null) throw unauthenticated()
      // Later than anything another server may have told: what is told twice would be after this place.
      await feed.look()
      const place = feed.place()
      if (place === null) throw new Error('the feed has looked and is nowhere')
      const stream = streams.open(reply, { accountId, expiresAt })
      const listener: Listener = { stream, joinedBatch: place.batch, held: after === null ? null : [] }
      listeners.join(listener)
      stream.onClose(() => listeners.leave(listener))
      if (after === null) return stream.write(wordReady(place.until))
      try {
        await admit(() => tellMissed(db, actor, after, { stream, until: place.until }))
        stream.write(wordReady(place.until))
        const { held } = listener
        listener.held = null
        for (const bytes of held ?? []) stream.write(bytes)
      } catch (error) {
        log.warn({ err: error }, 'missed events could not be read')
        stream.end()
      }
    },
    start: async () => {
      const hooks = { onListening: wake }
      subscriptions = await Promise.all(
        [fileChannel, notificationChannel].map((channel) => db.listen(channel, wake, hooks)),
      )
    },
    stop: async () => {
      streams.stop()
      await Promise.all(subscriptions.map((one) => one.stop().catch(() => {})))
      subscriptions = []
    },
  }
}

/**
 * Looks now and then without having been woken. What such a look finds should have been heard of: where it was not, the
 * connection is deaf, and another is made.
 */
function createEars(db: Database, log: Logger, found: () => number) {
  let ticks = 0
  let heard = 0
  let before = { heard: 0, found: 0 }
  return {
    hear: () => {
      heard += 1
    },
    isTimeToLook: () => {
      ticks += 1
      if (ticks % ticksPerLook !== 0) return false
      const now = { heard, found: found() }
      const isDeaf = now.found > before.found && now.heard === before.heard
      before = now
      if (isDeaf) {
        log.warn({ event: 'realtime_deaf' }, 'events were found that no notification told of')
        db.relisten()
      }
      return true
    },
  }
}

/** So many at once; the others wait in turn, and the pool is left to requests. */
function createGate(max: number) {
  const waiting: (() => void)[] = []
  let active = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (active >= max) await new Promise<void>((resolve) => void waiting.push(resolve))
    else active += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) active -= 1
      else next()
    }
  }
}

function ageOf({ items }: Page): number {
  const oldest = Math.min(...items.map(({ row }) => row.createdAt.getTime()))
  return Math.max(0, (Date.now() - oldest) / 1000)
}
