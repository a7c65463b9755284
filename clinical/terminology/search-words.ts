import { tokenise } from './tokens.ts'

/** Words between the words. "A" is none of them: it tells hepatitis A and vitamin A from others. */
const fillers = new Set(['of', 'the', 'an', 'in'])

/**
 * What two wordings are compared by, in the database as here: folded words without accents and fillers, each once, in order
 * of the alphabet, as "laceration of the hand" and "hand laceration" say the same.
 */
export function searchWords(text: string): string {
  const words = tokenise(text)
    .filter((token) => /[\p{L}\p{N}]/u.test(token.text))
    .map((token) => token.key.normalize('NFD').replaceAll(/\p{M}/gu, ''))
    .filter((word) => !fillers.has(word))
  return [...new Set(words)].toSorted(byCodeUnit).join(' ')
}

const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
