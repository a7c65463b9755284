import { setImmediate as turn } from 'node:timers/promises'
import type { FeedItem } from '../../../db/queries/realtime.ts'
import type { EventStream } from './event-streams.ts'
import type { Page } from './feed.ts'
import { wordItems } from './frames.ts'

/** A stream of an account; while it is told what it missed, what is new is held back. */
export type Listener = {
  readonly stream: EventStream
  /** Pages of this batch and of earlier ones are not for it. */
  readonly joinedBatch: number
  held: Buffer[] | null
}

export type Listeners = {
  readonly join: (listener: Listener) => void
  readonly leave: (listener: Listener) => void
  readonly count: () => number
  readonly tell: (page: Page) => Promise<void>
}

const writesPerTurn = 500
/** One that is still being told what it missed may have so much more waiting; past it, it comes back once more. */
const maxHeldBytes = 256 * 1024

export function createListeners(onTold: (count: number) => void): Listeners {
  const byAccount = new Map<string, Set<Listener>>()
  let count = 0
  return {
    join: (listener) => {
      const set = byAccount.get(listener.stream.accountId) ?? new Set()
      byAccount.set(listener.stream.accountId, set.add(listener))
      count += 1
    },
    leave: (listener) => {
      const { accountId } = listener.stream
      const set = byAccount.get(accountId)
      if (set?.delete(listener) !== true) return
      count -= 1
      if (set.size === 0) byAccount.delete(accountId)
    },
    count: () => count,
    tell: async (page) => {
      const bytesOf = createJoiner(page)
      let written = 0
      for (const [accountId, seen] of audienceOf(page, byAccount)) {
        const bytes = bytesOf(accountId, seen)
        for (const listener of byAccount.get(accountId) ?? []) {
          if (listener.joinedBatch >= page.batch) continue
          tellOne(listener, bytes)
          written += 1
          // Others have a turn too: five thousand writes are a tenth of a second.
          if (written % writesPerTurn === 0) await turn()
        }
      }
      onTold(written)
    },
  }
}

/** Of the accounts that listen here, those to whom something of the page may be told, and the people it is about. */
function audienceOf({ items, readers }: Page, byAccount: ReadonlyMap<string, unknown>) {
  const audience = new Map<string, string[]>()
  for (const item of items)
    if (item.kind === 'notification' && byAccount.has(item.row.accountId)) audience.set(item.row.accountId, [])
  for (const [patientId, accountIds] of readers) {
    for (const accountId of accountIds) {
      if (!byAccount.has(accountId)) continue
      const people = audience.get(accountId)
      if (people === undefined) audience.set(accountId, [patientId])
      else people.push(patientId)
    }
  }
  return audience
}

/** Accounts that see the same of a page share its bytes, put together once. */
function createJoiner({ items, position }: Page) {
  const frames = wordItems(items, position)
  const notified = new Set(items.flatMap((item) => (item.kind === 'notification' ? [item.row.accountId] : [])))
  const known = new Map<string, Buffer>()
  return (accountId: string, people: readonly string[]): Buffer => {
    const key = notified.has(accountId) ? accountId : people.join()
    const bytes = known.get(key) ?? Buffer.concat(frames.filter((_, index) => isFor(items[index], accountId, people)))
    known.set(key, bytes)
    return bytes
  }
}

function isFor(item: FeedItem | undefined, accountId: string, people: readonly string[]): boolean {
  if (item === undefined) return false
  return item.kind === 'notification' ? item.row.accountId === accountId : people.includes(item.row.patientId)
}

function tellOne(listener: Listener, bytes: Buffer): void {
  if (listener.held === null) return listener.stream.write(bytes)
  listener.held.push(bytes)
  if (listener.held.reduce((sum, { byteLength }) => sum + byteLength, 0) > maxHeldBytes) listener.stream.end()
}
