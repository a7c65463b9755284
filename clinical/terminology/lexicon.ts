/** Longest match of dictionary terms over tokens, as the tables' own README advises. */
import { createSpelling } from './spelling.ts'
import { tokenise, type Token } from './tokens.ts'

export type Term<Meaning> = {
  /** As the table writes it. */
  readonly text: string
  readonly meaning: Meaning
  /** Has another common meaning as well (CP, PT, PE): only with support from its surroundings. */
  readonly isAmbiguous: boolean
}

type Node<Meaning> = { readonly next: Map<string, Node<Meaning>>; readonly terms: Term<Meaning>[] }
export type Lexicon<Meaning> = {
  readonly root: Node<Meaning>
  /** Every word of a term by its key, as the tables write it. */
  readonly words: ReadonlyMap<string, string>
  /** Corrects a word that the lexicon does not know; itself where there is nothing to correct. */
  readonly correct: (word: string) => string
}

export type Match<Meaning> = {
  readonly start: number
  readonly end: number
  /** Tokens [from, to) */
  readonly from: number
  readonly to: number
  readonly terms: readonly Term<Meaning>[]
}

/** Short acronyms only match as written, so that "fit", "all" and "low" do not become FIT, ALL and LOW. */
const shortTerm = 4

export function buildLexicon<Meaning>(
  terms: Iterable<Term<Meaning>>,
  isKnown: (word: string) => boolean = () => false,
): Lexicon<Meaning> {
  const root: Node<Meaning> = { next: new Map(), terms: [] }
  const words = new Map<string, string>()
  for (const term of terms) addTerm(root, words, term)
  return { root, words, correct: createSpelling(words, isKnown) }
}

/** The longest term that starts at token `from`; `ignoring` says whether the case of short terms matters here. */
export function matchAt<Meaning>(
  lexicon: Lexicon<Meaning>,
  tokens: readonly Token[],
  from: number,
  letterCase: 'as_written' | 'any' = 'as_written',
): Match<Meaning> | null {
  let node: Node<Meaning> | undefined = lexicon.root
  let best: Match<Meaning> | null = null
  for (let place = from; place < tokens.length; place += 1) {
    const token = tokens[place]
    if (token === undefined) break
    if (token.isJoiner && place > from) continue
    node = node.next.get(token.key) ?? node.next.get(lexicon.correct(token.key))
    if (node === undefined) break
    const terms = node.terms.filter((term) => letterCase === 'any' || fitsCase(term.text, tokens, from, place))
    const first = tokens[from]
    if (terms.length > 0 && first) best = { start: first.start, end: token.end, from, to: place + 1, terms }
  }
  return best
}

/** All matches of a run of tokens, left to right, longest first, never overlapping. */
export function findTerms<Meaning>(
  lexicon: Lexicon<Meaning>,
  tokens: readonly Token[],
  letterCase: 'as_written' | 'any' = 'as_written',
): Match<Meaning>[] {
  const found: Match<Meaning>[] = []
  for (let place = 0; place < tokens.length;) {
    const match = matchAt(lexicon, tokens, place, letterCase)
    if (match) found.push(match)
    place = match ? match.to : place + 1
  }
  return found
}

function addTerm<Meaning>(root: Node<Meaning>, words: Map<string, string>, term: Term<Meaning>): void {
  let node = root
  for (const token of tokenise(term.text)) {
    if (token.isJoiner && node !== root) continue
    if (!words.has(token.key)) words.set(token.key, token.text)
    let next = node.next.get(token.key)
    if (!next) {
      next = { next: new Map(), terms: [] }
      node.next.set(token.key, next)
    }
    node = next
  }
  if (node !== root) node.terms.push(term)
}

function fitsCase(term: string, tokens: readonly Token[], from: number, last: number): boolean {
  const isAcronym = /\p{Lu}.*\p{Lu}/u.test(term) || term.length <= 2
  if (term.length > shortTerm || !isAcronym) return true
  const printed = tokens.slice(from, last + 1).reduce((text, token) => text + token.text, '')
  const wanted = term.replace(/[\s‐–-]/g, '')
  const bare = printed.replace(/[\s‐–-]/g, '')
  return bare === wanted || bare === `${wanted}s`
}

/** The same terms without forgiveness for misread words. */
export function exactly<Meaning>(lexicon: Lexicon<Meaning>): Lexicon<Meaning> {
  return { ...lexicon, correct: (word) => word }
}
