/**
 * In which letters a text is written, where nothing says so: Unicode with or without its mark, else the single bytes of
 * Windows or of old Macs, whichever makes more sense of them.
 */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'macintosh'

const looked = 1 << 20

export function encodingOf(bytes: Uint8Array): TextEncoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const head = bytes.subarray(0, looked)
  const wide = wideEncoding(head)
  if (wide !== null) return wide
  const { whole, broken } = countSequences(head)
  if (broken === 0 || whole > 4 * broken) return 'utf-8'
  return sense(head, 'macintosh') > sense(head, 'windows-1252') ? 'macintosh' : 'windows-1252'
}

export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes)
}

/** Two bytes a letter without a mark: in most texts of the West every other byte is zero. */
function wideEncoding(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const sample = bytes.subarray(0, 4096)
  const pairs = sample.length >> 1
  let [even, odd] = [0, 0]
  for (let at = 0; at + 1 < sample.length; at += 2) {
    if (sample[at] === 0) even++
    if (sample[at + 1] === 0) odd++
  }
  if (pairs < 2 || even + odd === 0) return null
  if (odd > 0.6 * pairs && even < 0.05 * pairs) return 'utf-16le'
  return even > 0.6 * pairs && odd < 0.05 * pairs ? 'utf-16be' : null
}

/** Letters of several bytes in UTF-8 that are whole, and bytes that belong to none; one cut off at the end is neither. */
function countSequences(bytes: Uint8Array): { whole: number; broken: number } {
  let [whole, broken] = [0, 0]
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] ?? 0
    if (lead < 0x80) continue
    const more = lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0
    let found = 0
    while (found < more && ((bytes[at + found + 1] ?? 0) & 0xc0) === 0x80) found++
    if (more > 0 && found === more) whole++
    else if (more === 0 || at + found + 1 < bytes.length) broken++
    at += found
  }
  return { whole, broken }
}

const usual = /[éèêëàâáäåöôóòüûúùïîíçñßæøœÉÈÀÁÄÅÖÜÇÑØ°µ–—‘’“”•…±×÷½¼¾²³®©™≥≤→·«»€£\u00a0]/
const plainLetter = /[\t\n\r\f -~]/

/** How many of the letters beyond ASCII are those that people write. */
function sense(bytes: Uint8Array, encoding: 'macintosh' | 'windows-1252'): number {
  let points = 0
  for (const letter of new TextDecoder(encoding).decode(bytes)) {
    if (plainLetter.test(letter)) continue
    points += usual.test(letter) ? 1 : -2
  }
  return points
}
