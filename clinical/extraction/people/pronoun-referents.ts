/**
 * Who "she" is: behind "his wife" or "his mother" a "she" is not the patient, as little as a "he" behind "her husband". What is
 * said of a pronoun that stands for somebody else is said of that person.
 */
import { cueLexicon, type CueCategory } from '../../terminology/cues.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import type { Token } from '../../terminology/tokens.ts'
import type { CueHit } from '../statements/context.ts'

const oppositeOwner: Readonly<Record<string, string>> = { she: 'his', he: 'her' }

/** The cues of a sentence, with one for each pronoun that means somebody whom it or the sentence before it names. */
export function withReferents(
  tokens: readonly Token[],
  cues: readonly CueHit[],
  before: readonly Token[],
): readonly CueHit[] {
  const added = tokens.flatMap((token, place): CueHit[] => {
    const owner = oppositeOwner[token.text.toLowerCase()]
    if (owner === undefined) return []
    const category = personOf(tokens.slice(0, place), owner) ?? personOf(before, owner)
    if (category === null) return []
    return [
      { start: token.start, end: token.end, from: place, to: place + 1, effects: [{ category, direction: 'before' }] },
    ]
  })
  return added.length === 0 ? cues : [...cues, ...added].toSorted((a, b) => a.from - b.from)
}

/** Of whom the words speak last, if it is somebody of the patient's: "his", up to two words, and a word for a person. */
function personOf(tokens: readonly Token[], owner: string): CueCategory | null {
  const at = tokens.findLastIndex(({ text }) => text.toLowerCase() === owner)
  if (at < 0) return null
  for (let from = at + 1; from <= Math.min(at + 3, tokens.length - 1); from += 1) {
    const match = matchAt(cueLexicon(), tokens, from, 'any')
    const category = match?.terms.map(({ meaning }) => meaning.category).find((each) => isPerson.has(each))
    if (category !== undefined) return category
  }
  return null
}

const isPerson: ReadonlySet<CueCategory> = new Set(['family', 'other-subject'])
