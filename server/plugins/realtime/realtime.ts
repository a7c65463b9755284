import type { FastifyReply } from 'fastify'
import type { Database } from '../../../db/client.ts'
import type { Logger } from '../../../platform/log.ts'
import type { Metrics } from '../../../platform/telemetry.ts'
import { channel as fileChannel } from '../file-events.ts'
import { createEars } from './ears.ts'
import { createEventStreams } from './event-streams.ts'
import type { EventStreams, StreamLimits } from './event-streams.ts'
import { createFeed } from './feed.ts'
import type { Page } from './feed.ts'
import { createFollow } from './follow.ts'
import type { Followed } from './follow.ts'
import { createListeners } from './listeners.ts'

/** What happens, told to accounts as it happens: read once for all of them, decided for all in one statement. */
export type Realtime = {
  readonly streams: EventStreams
  /** Hijacks the reply. */
  readonly follow: (reply: FastifyReply, wanted: Followed) => Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const notificationChannel = 'exora_account_notifications'
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
  const subscriptions = createSubscriptions(db, () => {
    ears.hear()
    if (listeners.count() > 0) look()
  })
  return {
    streams,
    follow: createFollow({ db, log, feed, listeners, streams }),
    start: subscriptions.start,
    stop: async () => {
      streams.stop()
      await subscriptions.stop()
    },
  }
}

/** Woken by what is notified, and once more a little later. */
function createSubscriptions(db: Database, lookIfListenedTo: () => void) {
  let again: NodeJS.Timeout | null = null
  let subscriptions: readonly { stop: () => Promise<void> }[] = []
  const wake = () => {
    lookIfListenedTo()
    again ??= setTimeout(() => {
      again = null
      lookIfListenedTo()
    }, lookAgainMs).unref()
  }
  return {
    start: async () => {
      const hooks = { onListening: wake }
      subscriptions = await Promise.all(
        [fileChannel, notificationChannel].map((channel) => db.listen(channel, wake, hooks)),
      )
    },
    stop: async () => {
      await Promise.all(subscriptions.map((one) => one.stop().catch(() => {})))
      subscriptions = []
    },
  }
}

function ageOf({ items }: Page): number {
  const oldest = Math.min(...items.map(({ row }) => row.createdAt.getTime()))
  return Math.max(0, (Date.now() - oldest) / 1000)
}
