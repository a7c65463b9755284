import { asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { readersOf, readFeed, readSnapshot } from '../../../db/queries/realtime.ts'
import type { FeedItem, Position } from '../../../db/queries/realtime.ts'
import type { Logger } from '../../../platform/log.ts'
import { isSettled, nothing, placeOf, settledAt } from './position.ts'

/** Items with who may see those of each person, as of now. */
export type Page = {
  readonly position: Position
  readonly batch: number
  readonly items: readonly FeedItem[]
  readonly readers: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads what is new once for all who listen. One look at a time; wishes that come meanwhile lead to one more behind it.
 * What was read and told half is gone on with where it stopped, also when the database was away in between.
 */
export type Feed = {
  /** Resolves when a look that began after the call has ended. */
  readonly look: () => Promise<void>
  /** What who joins now is told by pages of later batches comes after this snapshot; null before the first look. */
  readonly place: () => { readonly until: string; readonly batch: number } | null
  /** Nobody listens: what happens meanwhile is not read. */
  readonly rest: () => void
  /** Looks that found something of which a notification surely told. */
  readonly found: () => number
}

const pageSize = 500
// A burst of notifications is read together.
const gapMs = 20

export function createFeed(db: Database, log: Logger, tell: (page: Page) => Promise<void>): Feed {
  const reader = createReader(db, tell)
  let next: Promise<void> | null = null
  let current: Promise<void> = Promise.resolve()
  return {
    look: () => {
      next ??= current
        .then(() => new Promise((resolve) => setTimeout(resolve, gapMs)))
        .then(() => {
          next = null
          const looking = reader.look()
          current = looking.catch((error: unknown) => log.warn({ err: error }, 'events could not be read'))
          return looking
        })
      return next
    },
    place: reader.place,
    rest: reader.rest,
    found: reader.found,
  }
}

/** Where the feed is, and one look after the other. */
function createReader(db: Database, tell: (page: Page) => Promise<void>) {
  let position: Position | null = null
  let batch = 0
  let found = 0

  async function look(): Promise<void> {
    if (position !== null && !isSettled(position)) await tellRest(position)
    const snapshot = await asService(db, {}, readSnapshot)
    batch += 1
    if (position === null) {
      position = settledAt(snapshot)
      return
    }
    position = { since: position.until, until: snapshot, last: nothing }
    if (!isSettled(position)) await tellRest(position)
  }

  async function tellRest(from: Position): Promise<void> {
    let at = from
    for (;;) {
      const { items, readers } = await readPage(db, at)
      const last = items.at(-1)
      if (last === undefined) break
      if (items.some(isNotified)) found += 1
      await tell({ position: at, batch, items, readers })
      at = { ...at, last: placeOf(last) }
      position = at
      if (items.length < pageSize) break
    }
    position = settledAt(at.until)
  }

  return {
    look,
    place: () => (position === null ? null : { until: position.until, batch }),
    rest: () => {
      if (position !== null && isSettled(position)) position = null
    },
    found: () => found,
  }
}

async function readPage(db: Database, at: Position): Promise<Pick<Page, 'items' | 'readers'>> {
  return await asService(db, {}, async (tx) => {
    const items = await readFeed(tx, at, pageSize)
    return { items, readers: await readersOf(tx, patientsOf(items)) }
  })
}

/** Of many new files at once one is notified. */
const isNotified = (item: FeedItem) => item.kind === 'notification' || item.row.stage !== null

function patientsOf(items: readonly FeedItem[]): readonly string[] {
  return [...new Set(items.flatMap((item) => (item.kind === 'file' ? [item.row.patientId] : [])))]
}
