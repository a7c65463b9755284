import { uuidV7 } from '../uuid.ts'

// The end of a v7 id is random, so its last digits spread objects evenly; its start is the time. In 256 folders, since
// each one that is new costs two flushes more, and file systems find one among ten thousands as fast as one among ten.
// What was stored before lies one folder deeper.
const keyPattern =
  /^([0-9a-f]{2})\/(?:[0-9a-f]{2}\/)?[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{10}\1$/

export function newKey(): string {
  const id = uuidV7()
  return `${id.slice(-2)}/${id}`
}

/** The key that somebody had from `newKey` before, or a new one. */
export function keyFor(wanted: string | undefined): string {
  if (wanted === undefined) return newKey()
  if (!isKey(wanted)) throw new TypeError('this is no key of a store')
  return wanted
}

/** Whether a store of ours can have allotted it; anything else never reaches a disk or the network. */
export const isKey = (key: string): boolean => keyPattern.test(key)
