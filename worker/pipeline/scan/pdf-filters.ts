/** The packings of PDF streams that can hide something or swell: undone one after the other, within a limit. */
import { constants, inflateSync } from 'node:zlib'

export class UnpacksTooFar extends Error {
  override readonly name = 'UnpacksTooFar'
}

type Unpack = (packed: Buffer, maxBytes: number) => Buffer

/** By name and short name; what is not here (pictures, mostly) ends the unpacking. */
const unpackers: Readonly<Record<string, Unpack>> = {
  FlateDecode: inflate,
  Fl: inflate,
  LZWDecode: unpackLzw,
  LZW: unpackLzw,
  RunLengthDecode: unpackRuns,
  RL: unpackRuns,
  ASCIIHexDecode: unpackHex,
  AHx: unpackHex,
  ASCII85Decode: unpackAscii85,
  A85: unpackAscii85,
}

const mostFilters = 8

/** The names in the order in which they are undone; empty where the dictionary names none. */
export function filtersOf(dictionary: string): string[] {
  const [, several, one] = /\/Filter[\s\0]*(?:\[([^\]]{0,400})\]|\/(\w+))/.exec(dictionary) ?? []
  if (one !== undefined) return [one]
  return [...(several ?? '').matchAll(/\/(\w+)/g)].map(([, name = '']) => name).slice(0, mostFilters)
}

export type Unpacked = {
  readonly bytes: Buffer
  /** False where it stopped at a packing that is not undone here, or at damage. */
  readonly isWhole: boolean
}

/** Throws `UnpacksTooFar`. */
export function unpackAll(packed: Buffer, filters: readonly string[], maxBytes: number): Unpacked {
  let bytes = packed
  for (const name of filters) {
    const unpack = unpackers[name]
    if (unpack === undefined) return { bytes, isWhole: false }
    try {
      bytes = unpack(bytes, maxBytes)
    } catch (error) {
      if (error instanceof UnpacksTooFar) throw error
      return { bytes: Buffer.alloc(0), isWhole: false }
    }
  }
  return { bytes, isWhole: true }
}

// Readers take what there is of a stream that was cut off, and so does this.
function inflate(packed: Buffer, maxBytes: number): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    const isTooFar = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw isTooFar ? new UnpacksTooFar() : error
  }
}

function unpackHex(packed: Buffer): Buffer {
  const digits = packed.toString('latin1').split('>')[0] ?? ''
  return Buffer.from(digits.replaceAll(/[^\da-f]/gi, ''), 'hex')
}

function unpackAscii85(packed: Buffer, maxBytes: number): Buffer {
  const out: number[] = []
  let [value, count] = [0, 0]
  for (const byte of packed) {
    if (byte === 0x7e || out.length > maxBytes) break
    if (byte === 0x7a && count === 0) out.push(0, 0, 0, 0)
    if (byte < 0x21 || byte > 0x75) continue
    value = value * 85 + (byte - 0x21)
    count++
    if (count === 5) {
      out.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
      ;[value, count] = [0, 0]
    }
  }
  for (let missing = count; missing > 0 && missing < 5; missing++) value = value * 85 + 84
  for (let index = 0; index < count - 1; index++) out.push(Math.floor(value / 2 ** (24 - 8 * index)) & 255)
  return Buffer.from(out)
}

function unpackRuns(packed: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = []
  let total = 0
  for (let at = 0; at < packed.length;) {
    const length = packed[at] ?? 128
    if (length === 128) break
    const part = length < 128 ? packed.subarray(at + 1, at + 2 + length) : Buffer.alloc(257 - length, packed[at + 1])
    at += length < 128 ? length + 2 : 2
    total += part.length
    if (total > maxBytes) throw new UnpacksTooFar()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const clearTable = 256
const endOfData = 257

/** Entries are kept as places in what was written: each is the one before it and one byte more. */
function unpackLzw(packed: Buffer, maxBytes: number): Buffer {
  const out = createGrowing(maxBytes)
  const starts: number[] = []
  const lengths: number[] = []
  let [bits, held, width] = [0, 0, 9]
  for (const byte of packed) {
    held = ((held << 8) | byte) & 0xffffff
    bits += 8
    if (bits < width) continue
    bits -= width
    const code = (held >>> bits) & ((1 << width) - 1)
    if (code === endOfData) break
    if (code === clearTable) {
      starts.length = lengths.length = 0
      width = 9
      continue
    }
    const at = out.length()
    if (code < 256) out.push(code)
    else {
      const [start, length] = [starts[code - 258], lengths[code - 258]]
      if (start === undefined || length === undefined) break
      out.repeat(start, length)
    }
    // Its last byte is the first of what comes next.
    starts.push(at)
    lengths.push(out.length() - at + 1)
    const known = starts.length + 258
    width = known >= 2048 ? 12 : known >= 1024 ? 11 : known >= 512 ? 10 : 9
  }
  return out.bytes()
}

function createGrowing(maxBytes: number) {
  let buffer = Buffer.alloc(65_536)
  let length = 0
  const room = (more: number): void => {
    if (length + more > maxBytes) throw new UnpacksTooFar()
    if (length + more > buffer.length) buffer = Buffer.concat([buffer], Math.max(buffer.length * 2, length + more))
  }
  return {
    length: () => length,
    bytes: () => buffer.subarray(0, length),
    push: (byte: number) => {
      room(1)
      buffer[length++] = byte
    },
    repeat: (start: number, count: number) => {
      room(count)
      for (let index = 0; index < count; index++) buffer[length + index] = buffer[start + index] ?? 0
      length += count
    },
  }
}
