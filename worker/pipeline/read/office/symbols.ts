/** Letters of the Symbol and Wingdings faces, which stand in a private part of Unicode or in plain code points. */
const symbol: Readonly<Record<number, string>> = {
  0x22: '∀',
  0x61: 'α',
  0x62: 'β',
  0x67: 'γ',
  0x64: 'δ',
  0x6c: 'λ',
  0x6d: 'µ',
  0x70: 'π',
  0x73: 'σ',
  0x44: 'Δ',
  0x57: 'Ω',
  0xa3: '≤',
  0xb3: '≥',
  0xb0: '°',
  0xb1: '±',
  0xb4: '×',
  0xb8: '÷',
  0xb7: '•',
  0xb9: '≠',
  0xbb: '≈',
  0xa5: '∞',
  0xb2: '″',
  0xa2: '′',
  0xac: '←',
  0xad: '↑',
  0xae: '→',
  0xaf: '↓',
  0xd2: '®',
  0xd3: '©',
  0xd4: '™',
  0xd6: '√',
}
const wingdings: Readonly<Record<number, string>> = {
  0xfc: '✓',
  0xfb: '✗',
  0xfe: '☑',
  0xfd: '☒',
  0xa8: '☐',
  0x6f: '☐',
  0x71: '☐',
  0xe0: '→',
  0xdf: '←',
  0xe1: '↑',
  0xe2: '↓',
  0xa7: '▪',
  0x6e: '■',
  0x6c: '●',
  0xd8: '▸',
  0x9f: '•',
  0x76: '❖',
  0xf0: '→',
}

export function symbolOf(font: string, code: number): string {
  const plain = code >= 0xf000 && code <= 0xf0ff ? code - 0xf000 : code
  const table = /wingdings|webdings/i.test(font) ? wingdings : /symbol/i.test(font) ? symbol : null
  const known = table?.[plain]
  if (known !== undefined) return known
  if (code >= 0xf000 && code <= 0xf0ff)
    return table === null && plain >= 0x20 && plain < 0x7f ? String.fromCharCode(plain) : '•'
  return code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ''
}
