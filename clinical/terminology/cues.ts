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
  'ended',
  'established',
  'current',
  'family',
  'pseudo-family',
  'other-subject',
  'question',
  'answer-no',
  'answer-yes',
  'answer-unsure',
  'answer-open',
  'no-known',
  'termination',
] as const
export type CueCategory = (typeof cueCategories)[number]
export type Cue = { readonly category: CueCategory; readonly direction: 'before' | 'after' | 'both' | 'standalone' }

/** Cues that the table lacks. */
const further: readonly (readonly [string, Cue])[] = [
  ...[
    'did not become',
    'did not develop',
    'did not experience',
    'did not notice',
    'did not report',
    'did not complain of',
    'not pursue a diagnosis of',
    'not reporting',
    'not having',
    'no residual',
    'no palpable',
    'no apparent',
    'no clear',
    'no clear-cut',
    'never diagnosed with',
  ].map((text) => [text, { category: 'negation', direction: 'before' }] as const),
  ...[
    'adults with',
    'people with',
    'individuals with',
    'women with',
    'men with',
    'children with',
    'those with',
    'persons with',
    'anyone with',
  ].map((text) => [text, { category: 'other-subject', direction: 'before' }] as const),
  ...[
    'and positive for',
    'and is positive for',
    'and was positive for',
    'and reports',
    'and complains of',
    'and presents with',
  ].map((text) => [text, { category: 'termination', direction: 'both' }] as const),
]

export const cueLexicon = once(() => {
  const table = readTable('context_cues', ['cue', 'category', 'direction']).map(
    (row) => [row.cue, { category: categoryOf(row.category), direction: directionOf(row.direction) }] as const,
  )
  const relatives = readTable('relatives', ['word'])
    .filter(({ word }) => word.length > 4)
    .map(({ word }) => [word, { category: 'family', direction: 'before' }] as const)
  return buildLexicon(
    [...table, ...further, ...relatives].map(([text, meaning]) => ({ text, meaning, isAmbiguous: false })),
  )
})

function categoryOf(text: string): CueCategory {
  const category = cueCategories.find((known) => known === text)
  if (!category) throw new Error(`Unknown cue category ${text}`)
  return category
}

function directionOf(text: string): Cue['direction'] {
  if (text === 'before' || text === 'after' || text === 'both' || text === 'standalone') return text
  throw new Error(`Unknown cue direction ${text}`)
}
