/**
 * A small reader of zip files for Office documents: the directory is checked before anything is unpacked, and no entry
 * may unpack to more than it says or than the caller allows.
 */
import { inflateRawSync } from 'node:zlib'

export type ZipEntry = {
  readonly name: string
  readonly isEncrypted: boolean
  readonly packedBytes: number
  readonly unpackedBytes: number
  readonly method: number
  readonly offset: number
}

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50
const mostEntries = 5000

/** The entries of the directory; null when there is no readable one. */
export function readZipDirectory(file: Buffer): ZipEntry[] | null {
  const end = findEnd(file)
  if (end === null) return null
  const count = file.readUInt16LE(end + 10)
  if (count > mostEntries) return null
  const entries: ZipEntry[] = []
  let at = file.readUInt32LE(end + 16)
  for (let index = 0; index < count; index++) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== entrySignature) return null
    const nameLength = file.readUInt16LE(at + 28)
    entries.push({
      name: file.toString('utf8', at + 46, at + 46 + nameLength),
      isEncrypted: (file.readUInt16LE(at + 8) & 1) === 1,
      method: file.readUInt16LE(at + 10),
      packedBytes: file.readUInt32LE(at + 20),
      unpackedBytes: file.readUInt32LE(at + 24),
      offset: file.readUInt32LE(at + 42),
    })
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
  return entries
}

function findEnd(file: Buffer): number | null {
  for (let at = file.length - 22; at >= Math.max(0, file.length - 65_600); at--) {
    if (file.readUInt32LE(at) === endSignature) return at
  }
  return null
}

/** The bytes of one entry; throws when they are damaged, encrypted or more than allowed. */
export function unpackEntry(file: Buffer, entry: ZipEntry, maxBytes: number): Buffer {
  if (entry.offset + 30 > file.length || file.readUInt32LE(entry.offset) !== localSignature || entry.isEncrypted) {
    throw new Error('zip entry is damaged or encrypted')
  }
  const start = entry.offset + 30 + file.readUInt16LE(entry.offset + 26) + file.readUInt16LE(entry.offset + 28)
  const packed = file.subarray(start, start + entry.packedBytes)
  if (entry.method === 0) return packed.subarray(0, maxBytes)
  if (entry.method !== 8) throw new Error('zip entry is packed in an unknown way')
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(maxBytes, entry.unpackedBytes + 1)) })
}
