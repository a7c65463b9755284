/** SNOMED terms whose words are exactly the printed ones, in any order: more specific than a row that matched a part of them. */
import type { FactType } from '../document/found-fact.ts'
import { once, readTable } from '../terminology/read-table.ts'
import { searchWords } from '../terminology/search-words.ts'
import type { Candidate } from './coding.ts'

/** The tags that a type may have, the better one first. */
const tagsOf: { readonly [Type in FactType]?: readonly string[] } = {
  condition: ['disorder', 'finding'],
  family_history: ['disorder', 'finding'],
  symptom: ['finding', 'disorder'],
  procedure: ['procedure'],
  allergy: ['finding', 'disorder'],
}

export function exactSnomedTerm(type: FactType, text: string): Candidate[] {
  const tags = tagsOf[type]
  if (tags === undefined) return []
  const wordings = type === 'allergy' ? [`allergy to ${text}`, `${text} allergy`] : [text]
  const terms = wordings.flatMap((wording) => termsByWords().get(searchWords(wording)) ?? [])
  const best = tags.map((tag) => terms.find((term) => term.tag === tag)).find((term) => term !== undefined)
  if (best === undefined) return []
  const display = `${best.term} (${best.tag})`
  return [{ system: 'SNOMED', code: best.code, display, score01: 1, method: 'exact', isEquivalent: true }]
}

const termsByWords = once(() => {
  const terms = readTable('snomed_gps', ['code', 'term', 'semantic_tag']).map(({ code, term, semantic_tag: tag }) => ({
    code,
    term,
    tag,
  }))
  return Map.groupBy(terms, ({ term }) => searchWords(term))
})
