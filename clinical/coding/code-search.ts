/** Which facts a search has to be made for, and what came of it: each words once, in one question for all facts of a file. */
import type { FoundCode, SoughtWords } from '../../db/queries/terminology.ts'
import type { FactType } from '../document/found-fact.ts'
import { searchWords } from '../terminology/search-words.ts'
import { codeFact, type CodedWords, type Coding } from './coding.ts'

/** Asks the terminology; the answers stand in the order of the questions. */
export type SearchCodes = (sought: readonly SoughtWords[]) => Promise<readonly (readonly FoundCode[])[]>

/** A code for each fact: what no dictionary has exactly is searched for. */
export async function codeWithSearch(facts: readonly CodedWords[], search: SearchCodes): Promise<Coding[]> {
  const known = facts.map((fact) => codeFact(fact))
  const sought = facts.map((fact, place) => soughtWords(fact, known[place]))
  const distinct = [...new Map(sought.flatMap((each) => (each === null ? [] : [[keyOf(each), each] as const])))]
  const asked = distinct.slice(0, mostSought)
  if (asked.length === 0) return known
  const answers = await search(asked.map(([, words]) => words))
  const found = new Map(asked.map(([key], place) => [key, answers[place] ?? []]))
  return facts.map((fact, place) => {
    const words = sought[place] ?? null
    const candidates = words === null ? [] : (found.get(keyOf(words)) ?? [])
    return candidates.length === 0 ? (known[place] ?? codeFact(fact)) : codeFact(fact, candidates)
  })
}

// A search takes some milliseconds. A file with more of what nobody knows holds little that is a name at all.
const mostSought = 300
/** What is longer is a sentence, and no name. */
const mostWords = 8

const keyOf = ({ domain, words }: SoughtWords) => `${domain} ${words}`

function soughtWords(fact: CodedWords, coding: Coding | undefined): SoughtWords | null {
  const domain = domains[fact.type]
  if (domain === undefined || coding === undefined || coding.selected !== null) return null
  const words = searchWords(domain === 'allergy' ? fact.text.replaceAll(allergyWords, ' ') : fact.text)
  return words === '' || words.split(' ').length > mostWords ? null : { words, domain }
}

/** In a list of allergies these go without saying. */
const allergyWords = /\b(?:allerg(?:y|ies|ic)(?:\s+to)?|anaphyla\w+\s+to|intoleran(?:ce|t)(?:\s+to)?)\b/gi

const domains: { readonly [Type in FactType]?: SoughtWords['domain'] } = {
  condition: 'condition',
  symptom: 'condition',
  family_history: 'condition',
  social_history: 'condition',
  procedure: 'procedure',
  lab_result: 'observation',
  vital_sign: 'observation',
  medication: 'medication',
  allergy: 'allergy',
  immunization: 'immunization',
}
