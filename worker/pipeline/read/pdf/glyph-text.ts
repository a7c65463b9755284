/** What a character of a PDF stands for in print. */

const ligatures: Readonly<Record<number, string>> = {
  0xfb00: 'ff',
  0xfb01: 'fi',
  0xfb02: 'fl',
  0xfb03: 'ffi',
  0xfb04: 'ffl',
  0xfb05: 'st',
  0xfb06: 'st',
}

// Symbol fonts put their signs into the private area; these are the ones that documents use as bullets and ticks.
const symbols: Readonly<Record<number, string>> = {
  0xf02d: '-',
  0xf0a7: '▪',
  0xf0a8: '▫',
  0xf0ae: '→',
  0xf0b0: '°',
  0xf0b1: '±',
  0xf0b3: '≥',
  0xf0a3: '≤',
  0xf0b7: '•',
  0xf0d8: '▸',
  0xf0e0: '→',
  0xf0fc: '✓',
  0xf06d: 'µ',
  0xf076: '•',
}

const softHyphen = 0xad
/** PDFium's own sign for a hyphen at the end of a line. */
const lineEndHyphen = 2

/** A space for what only parts words; empty for what is neither printed nor parts them, as a joiner. */
export function printedText(code: number, isInked: () => boolean): string {
  if (code > 32 && code < 0x7f) return String.fromCharCode(code)
  if (code === lineEndHyphen) return '-'
  // Some fonts draw it, others keep it as a place where a line may end.
  if (code === softHyphen) return isInked() ? '-' : ''
  if ((code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) || code === 0x2060) return ''
  if (code === 0xfeff || (code >= 0xfe00 && code <= 0xfe0f)) return ''
  if (code <= 32 || code === 0xfffe || code === 0xffff || code === 0x2028 || code === 0x2029) return ' '
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x3000) return ' '
  return ligatures[code] ?? symbols[code] ?? String.fromCodePoint(Math.min(code, 0x10ffff))
}

/** A code that no reader knows a letter for, whatever the font says. */
export function isNoLetter(code: number): boolean {
  if (symbols[code] !== undefined) return false
  return (code >= 0xe000 && code <= 0xf8ff) || code === 0xfffd || (code < 32 && ![2, 9, 10, 13].includes(code))
}

export function isKnownSymbol(code: number): boolean {
  return symbols[code] !== undefined
}

const raised: Readonly<Record<string, string>> = {
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
  '+': '⁺',
  '-': '⁻',
  '−': '⁻',
}

/** A raised figure as the sign of its own that it is: 10⁹ and 109 are not the same. */
export function raisedText(text: string): string {
  return raised[text] ?? text
}
