/** Words beside a medicine that say whether it is taken: before its name ("stopped", "will start") and behind it ("on hold"). */
import { buildLexicon, exactly, findTerms, type Lexicon, type Match } from './lexicon.ts'
import { once, readTable } from './read-table.ts'
import { tokenise } from './tokens.ts'

const meanings = ['stopped', 'held', 'exchange', 'planned', 'past', 'active', 'again', 'against', 'none'] as const
/**
 * `exchange`: one medicine for another; which of the two it was is told by where the other stands. `against`: refused, or not
 * for this person. `none`: about a day to come.
 */
export type MedicineCue = (typeof meanings)[number]

export type MedicineCueHit = { readonly cue: MedicineCue; readonly start: number; readonly end: number }

export function findMedicineCues(words: string, side: 'before' | 'after'): MedicineCueHit[] {
  return findTerms(lexicons()[side], tokenise(words), 'any').flatMap((match: Match<MedicineCue>) => {
    const cue = match.terms[0]?.meaning
    return cue === undefined ? [] : [{ cue, start: match.start, end: match.end }]
  })
}

const lexicons = once((): Record<'before' | 'after', Lexicon<MedicineCue>> => {
  const rows = readTable('medicine_cues', ['words', 'side', 'meaning'])
  const on = (side: string) =>
    exactly(
      buildLexicon(
        rows
          .filter((row) => row.side === side)
          .map((row) => ({ text: row.words, meaning: meaningOf(row.meaning), isAmbiguous: false })),
      ),
    )
  return { before: on('before'), after: on('after') }
})

function meaningOf(text: string): MedicineCue {
  const meaning = meanings.find((known) => known === text)
  if (!meaning) throw new Error(`Unknown meaning of words beside a medicine: ${text}`)
  return meaning
}
