/** Words that change what a statement asserts, with the side of the concept that they stand on. */
import { buildLexicon } from './lexicon.ts'
import { once, readTable } from './read-table.ts'

export const cueCategories = [
  'negation',
  'pseudo-negation',
  'uncertain',
  'hypothetical',
  'historical',
  'pseudo-historical',
  'established',
  'current',
  'family',
  'pseudo-family',
  'other-subject',
  'no-known',
  'termination',
] as const
export type CueCategory = (typeof cueCategories)[number]
export type Cue = { readonly category: CueCategory; readonly direction: 'before' | 'after' | 'both' | 'standalone' }

export const cueLexicon = once(() =>
  buildLexicon(
    readTable('context_cues', ['cue', 'category', 'direction']).map((row) => ({
      text: row.cue,
      isAmbiguous: false,
      meaning: { category: categoryOf(row.category), direction: directionOf(row.direction) },
    })),
  ),
)

function categoryOf(text: string): CueCategory {
  const category = cueCategories.find((known) => known === text)
  if (!category) throw new Error(`Unknown cue category ${text}`)
  return category
}

function directionOf(text: string): Cue['direction'] {
  if (text === 'before' || text === 'after' || text === 'both' || text === 'standalone') return text
  throw new Error(`Unknown cue direction ${text}`)
}
