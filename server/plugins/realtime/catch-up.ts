import { asActor } from '../../../db/actor.ts'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { readEventDays, readFeed } from '../../../db/queries/realtime.ts'
import type { Position } from '../../../db/queries/realtime.ts'
import type { EventStream } from './event-streams.ts'
import { wordItems, wordReset } from './frames.ts'
import { isBeyond, isSettled, nothing, placeOf } from './position.ts'
import type { EventId } from './position.ts'

const pageSize = 200
const dayS = 24 * 60 * 60

/**
 * Tells, as the actor, what a client missed from its id until a snapshot: first the rest of the batch in which it was cut
 * off, then what came after that batch. Row level security decides what of it the account may see now.
 */
export async function tellMissed(
  db: Database,
  actor: Actor,
  { position, toldAtS }: EventId,
  { stream, until }: { readonly stream: EventStream; readonly until: string },
): Promise<void> {
  if (isBeyond(position.until, until)) return stream.write(wordReset(until, 'unknown'))
  const keepDays = await asActor(db, actor, readEventDays)
  if (keepDays !== null && Date.now() / 1000 - toldAtS > keepDays * dayS) {
    return stream.write(wordReset(until, 'too_old'))
  }
  if (!isSettled(position)) await tellBetween(db, actor, position, stream)
  await tellBetween(db, actor, { since: position.until, until, last: nothing }, stream)
}

async function tellBetween(db: Database, actor: Actor, from: Position, stream: EventStream): Promise<void> {
  let at = from
  while (stream.isOpen()) {
    const items = await asActor(db, actor, (tx) => readFeed(tx, at, pageSize))
    for (const frame of wordItems(items, at)) stream.write(frame)
    const last = items.at(-1)
    if (last === undefined || items.length < pageSize) return
    at = { ...at, last: placeOf(last) }
  }
}
