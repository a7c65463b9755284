import { createHash, randomBytes } from 'node:crypto'

let lastMs = 0
let sequence = 0

/**
 * A version 7 UUID. Within one process each sorts after the one before it: ids made in the same millisecond count up
 * in the 12 bits behind the time, and when these run out the time is taken one millisecond ahead.
 */
export function uuidV7(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16)
  if (nowMs > lastMs) {
    lastMs = nowMs
    // A low start leaves room to count.
    sequence = bytes.readUInt16BE(6) & 0x07ff
  } else if (++sequence > 0x0fff) {
    lastMs += 1
    sequence = 0
  }
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | sequence, 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return wordUuid(bytes)
}

/** The same UUID (version 8, RFC 9562) for the same text, by its SHA-256: says that it is the same and not what. */
export function uuidOfText(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return wordUuid(bytes)
}

function wordUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
