/** Words of allergy lists beside substances and reactions: exceptions, doubts, and the kinds that a denial is about. */
import { buildLexicon, exactly, findTerms, type Match } from './lexicon.ts'
import { once, readTable } from './read-table.ts'
import { tokenise } from './tokens.ts'

const meanings = ['except', 'uncertain', 'disproved', 'unanswered', 'drug', 'food', 'environment', 'anything'] as const
export type AllergyWord = (typeof meanings)[number]

export function findAllergyWords(words: string, ...wanted: readonly AllergyWord[]): Match<AllergyWord>[] {
  return findTerms(lexicon(), tokenise(words), 'any').filter((match) =>
    match.terms.some((term) => wanted.includes(term.meaning)),
  )
}

/** What a denial is about: "no known drug allergies", "NKFA", "nil to food". null: allergies of any kind. */
export function deniedKind(words: string): 'drug' | 'food' | 'environment' | null {
  const kinds = (['drug', 'food', 'environment'] as const).filter((kind) => findAllergyWords(words, kind).length > 0)
  if (kinds.length === 0) return /\bNKDA\b/i.test(words) ? 'drug' : /\bNKFA\b/i.test(words) ? 'food' : null
  return kinds.length === 1 ? (kinds[0] ?? null) : null
}

/** Every word is such a word: "drugs or food". */
export function isOnly(words: string, ...wanted: readonly AllergyWord[]): boolean {
  const tokens = tokenise(words)
  const matches = findAllergyWords(words, ...wanted)
  return (
    matches.length > 0 &&
    tokens.every(
      (token, place) =>
        matches.some((match) => match.from <= place && place < match.to) || /^(?:or|and|\W)$/i.test(token.text),
    )
  )
}

const lexicon = once(() =>
  exactly(
    buildLexicon(
      readTable('allergy_words', ['words', 'meaning']).map((row) => ({
        text: row.words,
        meaning: meaningOf(row.meaning),
        isAmbiguous: false,
      })),
    ),
  ),
)

function meaningOf(text: string): AllergyWord {
  const meaning = meanings.find((known) => known === text)
  if (!meaning) throw new Error(`Unknown meaning of words on allergies: ${text}`)
  return meaning
}
