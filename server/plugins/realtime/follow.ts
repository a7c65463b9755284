import type { FastifyReply } from 'fastify'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import type { Logger } from '../../../platform/log.ts'
import { unauthenticated } from '../errors.ts'
import { tellMissed } from './catch-up.ts'
import type { EventStreams } from './event-streams.ts'
import type { Feed } from './feed.ts'
import { wordReady } from './frames.ts'
import type { Listener, Listeners } from './listeners.ts'
import type { EventId } from './position.ts'

export type Followed = {
  readonly actor: Actor
  readonly expiresAt: Date
  /** Null: from now on. */
  readonly after: EventId | null
}

type FollowDeps = {
  readonly db: Database
  readonly log: Logger
  readonly feed: Feed
  readonly listeners: Listeners
  readonly streams: EventStreams
}

const maxCatchingUp = 8

/** Hijacks the reply. What is new is held back while the client is told what it missed. */
export function createFollow({ db, log, feed, listeners, streams }: FollowDeps) {
  const admit = createGate(maxCatchingUp)
  return async (reply: FastifyReply, { actor, expiresAt, after }: Followed): Promise<void> => {
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
