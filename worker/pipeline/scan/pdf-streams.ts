/**
 * The streams of a PDF found by their marks, without trusting its tables: dictionaries, and what the streams unpack to
 * within limits. Names may be written with #xx; those are undone before they are looked at.
 */
import { inflateSync } from 'node:zlib'

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

export type Unpacked =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'bomb' }
  | { readonly kind: 'opaque' }

/** Undoes Flate, also several times over; other filters are left alone. */
export function unpackStream({ dictionary, packed }: PdfStream, maxBytes: number): Unpacked {
  const rounds = [...dictionary.matchAll(/\/(?:FlateDecode|Fl)\b/g)].length
  if (rounds === 0) return { kind: 'opaque' }
  let bytes = packed
  for (let round = 0; round < Math.min(rounds, 4); round++) {
    try {
      bytes = inflateSync(bytes, { maxOutputLength: maxBytes })
    } catch (error) {
      const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      return isTooLarge ? { kind: 'bomb' } : { kind: 'opaque' }
    }
  }
  return { kind: 'bytes', bytes }
}
