/**
 * The streams of a PDF found by their marks, without trusting its tables. Names may be written with #xx; those are
 * undone before they are looked at.
 */
import { createInflate } from 'node:zlib'
import { filtersOf, unpackAll, UnpacksTooFar } from './pdf-filters.ts'

export type PdfStream = {
  /** With #xx undone. */
  readonly dictionary: string
  readonly packed: Buffer
}

const mostStreams = 20_000
const longestDictionary = 4096

export function* findStreams(file: Buffer): Generator<PdfStream> {
  let at = 0
  for (let count = 0; count < mostStreams; count++) {
    const mark = file.indexOf('stream', at, 'latin1')
    if (mark === -1) return
    at = mark + 6
    if (file.toString('latin1', mark - 3, mark) === 'end') continue
    const start = file[at] === 13 && file[at + 1] === 10 ? at + 2 : at + 1
    const end = file.indexOf('endstream', start, 'latin1')
    const before = file.toString('latin1', Math.max(0, mark - longestDictionary), mark)
    const dictionary = before.slice(Math.max(before.lastIndexOf(' obj'), before.lastIndexOf('\nobj'), 0))
    yield { dictionary: undoNames(dictionary), packed: file.subarray(start, end === -1 ? file.length : end) }
    at = end === -1 ? file.length : end + 9
  }
}

export function undoNames(text: string): string {
  return text.replaceAll(/#([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Such streams pack badly; bombs pack a thousandfold. */
const mostBytes = 64e6
const steepestPacking = 250
/** A white page of a scanner at 600 dpi in colour packs as steeply as a bomb, but its size is the one that it names. */
const mostPictureBytes = 420e6

export type Unpacked =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'bomb' }
  /** A picture, or damage: not to be looked into here. */
  | { readonly kind: 'opaque' }

export async function unpackStream({ dictionary, packed }: PdfStream): Promise<Unpacked> {
  const filters = filtersOf(dictionary)
  const named = pictureBytes(dictionary)
  const limit = Math.min(Math.max(mostBytes, named * 1.1), mostPictureBytes)
  try {
    const { bytes, isWhole } = unpackAll(packed, filters, limit)
    return isWhole ? { kind: 'bytes', bytes } : { kind: 'opaque' }
  } catch (error) {
    if (!(error instanceof UnpacksTooFar)) throw error
    const most = Math.min(mostPictureBytes, steepestPacking * packed.length)
    // Of several packings on top of each other none has a reason to swell that much.
    return filters.length > 1 || (await inflatesAbove(packed, most)) ? { kind: 'bomb' } : { kind: 'opaque' }
  }
}

/** Counted, not kept. */
async function inflatesAbove(packed: Buffer, most: number): Promise<boolean> {
  const inflate = createInflate({ chunkSize: 1 << 20 })
  let total = 0
  try {
    inflate.end(packed)
    for await (const chunk of inflate) {
      total += Buffer.byteLength(chunk)
      if (total > most) return true
    }
  } catch {
    // Damaged or cut off behind what was counted.
  }
  return false
}

const mostPixels = 400e6

function pictureSize(dictionary: string): { readonly width: number; readonly height: number } {
  return {
    width: Number(/\/Width[\s\0]+(\d+)/.exec(dictionary)?.[1] ?? 0),
    height: Number(/\/Height[\s\0]+(\d+)/.exec(dictionary)?.[1] ?? 0),
  }
}

function pictureBytes(dictionary: string): number {
  const { width, height } = pictureSize(dictionary)
  const bits = Math.min(Number(/\/BitsPerComponent[\s\0]+(\d+)/.exec(dictionary)?.[1] ?? 8), 16)
  const components = /\/DeviceGray\b|\/Indexed\b|\/ImageMask\s+true/.test(dictionary) ? 1 : 4
  return height * (Math.ceil((width * bits * components) / 8) + 1)
}

// Bilevel codings pack ten gigapixels into a few kilobytes; their own headers say how large they are.
export function isPixelBomb({ dictionary, packed }: PdfStream): boolean {
  const { width, height } = pictureSize(dictionary)
  if (width * height > mostPixels) return true
  if (!/\/JBIG2Decode\b/.test(dictionary)) return false
  const isPicture = /\/Subtype[\s\0]*\/Image\b/.test(dictionary)
  return !isPicture || pixelsOfJbig2(packed) > mostPixels
}

const pageInformation = 48

/** From the page information segment, if it stands first as it does in practice. */
function pixelsOfJbig2(packed: Buffer): number {
  const isPage = packed.length > 19 && ((packed[4] ?? 0) & 0x3f) === pageInformation
  return isPage ? packed.readUInt32BE(11) * packed.readUInt32BE(15) : 0
}
