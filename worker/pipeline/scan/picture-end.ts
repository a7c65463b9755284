/** Where a picture ends by its own count; what stands behind it is none of it. Null where the format does not say. */
export function endOfPicture(bytes: Buffer, mimeType: string): number | null {
  if (mimeType === 'image/png') return endOfPng(bytes)
  if (mimeType === 'image/jpeg') return endOfJpeg(bytes)
  if (mimeType === 'image/webp') return bytes.length < 8 ? null : 8 + bytes.readUInt32LE(4)
  return null
}

function endOfPng(bytes: Buffer): number | null {
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return end
    at = end
  }
  return null
}

const startOfScan = 0xda
const endOfImage = 0xd9

function endOfJpeg(bytes: Buffer): number | null {
  let at = 2
  while (at + 4 <= bytes.length) {
    const marker = bytes[at + 1] ?? 0
    if (bytes[at] !== 0xff) return null
    if (marker === endOfImage) return at + 2
    at += 2 + bytes.readUInt16BE(at + 2)
    if (marker === startOfScan) at = endOfScan(bytes, at)
  }
  return null
}

// In packed data 0xff is followed by zero or a restart mark; anything else ends it.
function endOfScan(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at
  }
  return bytes.length
}

/** Whether the boxes of a HEIC file reach to its end and no further. */
export function isWholeHeic(bytes: Buffer): boolean {
  let at = 0
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at)
    if (size === 0) return true
    if (size === 1 && at + 16 > bytes.length) return false
    const length = size === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : size
    if (length < 8) return false
    at += length
  }
  return at === bytes.length
}
