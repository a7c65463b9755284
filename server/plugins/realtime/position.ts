import type { FeedItem, Last, Position } from '../../../db/queries/realtime.ts'

/** What a client was told last, and when: `Last-Event-ID` of the account's stream. */
export type EventId = { readonly position: Position; readonly toldAtS: number }

export const nothing: Last = { kind: 'nothing' }
export const settledAt = (snapshot: string): Position => ({ since: snapshot, until: snapshot, last: nothing })
export const placeOf = (item: FeedItem): Last =>
  item.kind === 'file' ? { kind: 'file', id: item.row.id } : { kind: 'notification', id: item.row.id }
export const isSettled = ({ since, until }: Position) => since === until

export function wordEventId({ position: { since, until, last }, toldAtS }: EventId): string {
  const place = last.kind === 'nothing' ? '' : last.kind === 'file' ? `f${last.id}` : `n${last.id}`
  return [toldAtS, since, since === until ? '' : until, place].join('~')
}

/** Null for what is none of ours: it came back from outside. */
export function readEventId(text: string): EventId | null {
  const [time = '', since = '', until = '', place = '', ...more] = text.split('~')
  if (more.length > 0 || !/^\d{1,12}$/.test(time)) return null
  const last = readPlace(place)
  if (last === null || !isSnapshot(since) || !(until === '' || isSnapshot(until))) return null
  return { toldAtS: Number(time), position: { since, until: until === '' ? since : until, last } }
}

function readPlace(place: string): Last | null {
  if (place === '') return nothing
  if (/^f\d{1,15}$/.test(place)) return { kind: 'file', id: Number(place.slice(1)) }
  return /^n[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(place)
    ? { kind: 'notification', id: place.slice(1) }
    : null
}

/** As PostgreSQL reads `xmin:xmax:xip,…`; it raises for any other. */
function isSnapshot(text: string): boolean {
  const found = /^(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)$/.exec(text)
  if (found === null) return false
  const [xmin, xmax] = [BigInt(found[1] ?? 0), BigInt(found[2] ?? 0)]
  const running = found[3] === '' ? [] : (found[3] ?? '').split(',').map(BigInt)
  const isOrdered = running.every((id, index) => id >= xmin && id < xmax && id > (running[index - 1] ?? 0n))
  return xmin > 0n && xmin <= xmax && isOrdered
}

/** A snapshot that this database has not reached: the id is of another, or was made up. */
export function isBeyond(snapshot: string, reached: string): boolean {
  return BigInt(snapshot.split(':')[1] ?? 0) > BigInt(reached.split(':')[1] ?? 0)
}
