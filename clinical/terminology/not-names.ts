/** Words that letterheads, forms and headings are made of and people are not called by. */
import { buildLexicon, exactly, findTerms } from './lexicon.ts'
import { once, readTable } from './read-table.ts'
import type { Token } from './tokens.ts'

const kinds = ['organisation', 'document', 'anatomy', 'place', 'statement', 'abbreviation', 'someone_else'] as const
/** `someone_else`: who a form asks for beside the patient ("Next of kin", "Requesting practitioner"). */
export type NotNameKind = (typeof kinds)[number]

/** The tokens' matches of these kinds; words are never corrected here, because names look like misread words. */
export function findNotNames(tokens: readonly Token[], wanted: readonly NotNameKind[]) {
  return findTerms(notNames(), tokens).filter((match) => match.terms.some((term) => wanted.includes(term.meaning)))
}

const notNames = once(() =>
  exactly(
    buildLexicon(
      readTable('not_names', ['words', 'kind']).map((row) => ({
        text: row.words,
        meaning: kindOf(row.kind),
        isAmbiguous: false,
      })),
    ),
  ),
)

function kindOf(text: string): NotNameKind {
  const kind = kinds.find((known) => known === text)
  if (!kind) throw new Error(`Unknown kind of words that are no name: ${text}`)
  return kind
}
