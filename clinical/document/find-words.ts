/**
 * Search on one page, as a reader searches: case, accents and marks do not matter, a phrase runs over several words and
 * over the end of a line, also where that parts a word, and a number is found however its thousands are set apart.
 */
import type { Word } from './page.ts'

/** Indices of the words of each place where it stands, in the page's order; places do not overlap. */
export function findWords(words: readonly Word[], wanted: string): number[][] {
  const pattern = patternOf(fold(wanted).trim())
  if (pattern === null) return []
  const { text, owners } = textOf(words)
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => [
    ...new Set(owners.slice(index, index + found.length).filter((owner) => owner !== nobody)),
  ])
}

const nobody = -1

type PageText = { readonly text: string; readonly owners: readonly number[] }

function textOf(words: readonly Word[]): PageText {
  let text = ''
  const owners: number[] = []
  for (const [index, word] of words.entries()) {
    const folded = fold(word.text).trim()
    if (folded === '') continue
    if (text !== '' && !isParted(words, index)) {
      text += ' '
      owners.push(nobody)
    }
    text += folded
    for (let at = 0; at < folded.length; at++) owners.push(index)
  }
  return { text, owners }
}

/** "haemo-" at the end of a line and "globin" at the start of the next are one word. */
function isParted(words: readonly Word[], index: number): boolean {
  const [before, word] = [words[index - 1], words[index]]
  if (before === undefined || word === undefined || before.line === word.line) return false
  return /\p{L}[-\u00ad\u2010\u2011]$/u.test(before.text) && /^\p{Ll}/u.test(word.text)
}

const unlike: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ı: 'i', μ: 'u' }

/** Small letters and digits, with a point or comma only within a number and a hyphen only between digits; else spaces. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\u00ad]/gu, '')
    .toLowerCase()
    .replaceAll(/[ßøæœłđıμ]/g, (letter) => unlike[letter] ?? letter)
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/['’‘`´](?=\p{L})|(?<=\p{L})-(?=[\p{L}\d])|(?<=\d)-(?=\p{L})/gu, '')
    .replaceAll(/(?<=\d)['’](?=\d{3})/g, ',')
    .replaceAll(/(?<!\d)[.,-]|[.,-](?!\d)|[^\p{L}\d.,-]/gu, ' ')
    .replaceAll(/ +/g, ' ')
}

const thousands = /(?<![\d.,])\d{1,3}(?:[ ,.]\d{3})+(?![.,]?\d)/g

/** Null where there is nothing to look for. What is folded holds nothing that a pattern would take for more than itself but a point. */
function patternOf(folded: string): RegExp | null {
  if (folded === '') return null
  const plain = folded.replaceAll(thousands, (number) => number.replaceAll(/[ ,.]/g, ''))
  const source = plain
    .replaceAll(/\d+/g, (digits) => digits.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, '_'))
    .replaceAll(/[.,]/g, '[.,]')
    .replaceAll('_', '[ ,.]?')
    .replaceAll(/(?<=\d) ?(?=\p{L})|(?<=\p{L}) ?(?=\d)/gu, ' ?')
  const from = /^\d/.test(plain) ? String.raw`(?<!\d|\d[.,])` : ''
  const to = /\d$/.test(plain) ? String.raw`(?!\d|[.,]\d)` : ''
  return new RegExp(`${from}${source}${to}`, 'gu')
}
