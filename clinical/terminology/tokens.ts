/**
 * Tokens carry their place in the text they came from, so normalising never moves an offset. `key` is what terms are
 * compared by: lower case, Australian and American spelling made alike, plural and possessive endings dropped.
 */
export type Token = {
  readonly text: string
  readonly key: string
  readonly start: number
  readonly end: number
  /** Punctuation that a term may be written with or without ("X-ray", "X ray"). */
  readonly isJoiner: boolean
  /** The first of a table's cell. */
  readonly startsCell: boolean
}

const tokenPattern = /[\p{L}\p{N}]+(?:['’]\p{L}+)*|[^\s\p{L}\p{N}]/gu
const joiners = new Set(['-', '‐', '‑', '–'])

export function tokenise(text: string, from = 0, to = text.length): Token[] {
  const slice = from === 0 && to === text.length ? text : text.slice(from, to)
  return Array.from(slice.matchAll(tokenPattern), (match) => {
    const start = from + match.index
    return {
      text: match[0],
      key: foldWord(match[0]),
      start,
      end: start + match[0].length,
      isJoiner: joiners.has(match[0]),
      startsCell: slice[match.index - 1] === '\t',
    }
  })
}

export function foldWord(word: string): string {
  const plain = word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]s$/, '')
    .replace(/['’]/g, '')
    .replace('µ', 'u')
    .replace('μ', 'u')
  return plain.length <= 3 ? plain : singular(americanise(plain))
}

function americanise(word: string): string {
  return word
    .replace(/ae|oe/g, 'e')
    .replace('eea', 'ea')
    .replace(/(?<=tum|col|hum|od|fav)our/, 'or')
    .replace(/is(?=ation|e$|ed$|ing$)/, 'iz')
    .replace('sulph', 'sulf')
    .replace('leuco', 'leuko')
    .replace(/([lt])re$/, '$1er')
}

function singular(word: string): string {
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  if (word.endsWith('s') && !/(ss|us|is)$/.test(word)) return word.slice(0, -1)
  return word
}
