/**
 * Codes for a fact. The row of the terminology that pass 1 matched decides, else a term or row with exactly its words; what is
 * still without a code is searched for in the database (`code-search.ts`), whose candidates are given here. A code that is
 * wider or narrower than the words stays a suggestion: uncoded is legal and visible.
 */
import type { FoundCode } from '../../db/queries/terminology.ts'
import type { FoundFact } from '../document/found-fact.ts'
import { deniedKind, isOnly } from '../terminology/allergy-words.ts'
import { conceptCandidates } from './concept-codes.ts'
import { exactConcepts } from './exact-concepts.ts'
import { isDoneOn, specimenIn } from '../terminology/specimens.ts'
import { observationCandidates, observationSpecimen } from './observation-codes.ts'
import { observationOfLoinc } from './loinc-concepts.ts'
import { sourceCandidates } from './source-codes.ts'
import { exactSnomedTerm } from './snomed-terms.ts'
import { wordFit } from './word-fit.ts'

export const codeSystems = [
  'LOINC',
  'SNOMED',
  'RxNorm',
  'CVX',
  'ICD-10-CM',
  // These only where a file brings them along.
  'ICD-10',
  'ATC',
  'CPT',
  'NDC',
] as const
export type CodeSystem = (typeof codeSystems)[number]

export type Candidate = {
  /** One of `codeSystems`, or what a file calls its own. */
  readonly system: string
  readonly code: string
  readonly display: string
  readonly score01: number
  /** How it was found: in the file itself, by the matched row, its unit or a rule, by a search; or a person gave it. */
  readonly method: 'source' | 'concept' | 'unit' | 'rule' | 'person' | FoundCode['method']
  /** Says the same as the words, no more and no less. */
  readonly isEquivalent: boolean
}

export type Coding = { readonly candidates: readonly Candidate[]; readonly selected: Candidate | null }

export type CodedWords = Pick<FoundFact, 'type' | 'text' | 'status' | 'value' | 'unit' | 'concept' | 'detail'>

/** Below this a search result is only shown, never chosen. */
const selectFrom01 = 0.9
const mostCandidates = 10

/** `found`: what the search offers for the words of a fact that has no code without it. */
export function codeFact(fact: CodedWords, found: readonly FoundCode[] = []): Coding {
  if (fact.type === 'identity' || fact.type === 'encounter') return { candidates: [], selected: null }
  const stated = sourceCandidates(fact.type, fact.detail.codes ?? [], fact.text)
  const known = candidatesOfConcept(fact, fact.concept)
  const exact = isCodedAsPrinted(known, fact.type) ? [] : exactSnomedTerm(fact.type, fact.text)
  const offered = distinct([...exact, ...known])
  const dictionary = offered.length > 0 ? offered : candidatesOfWords(fact)
  const searched = found.flatMap((each) => candidatesOfSearch(fact, each))
  const ranked = [...stated, ...[...dictionary, ...searched].toSorted((a, b) => b.score01 - a.score01)]
  const candidates = distinct(ranked).slice(0, mostCandidates)
  // What the file says comes first, whatever our own tables would have made of the words.
  const selected = candidates.find((candidate) => candidate.isEquivalent && candidate.score01 >= selectFrom01) ?? null
  return { candidates, selected }
}

/** An allergy list names the allergy: the substance alone is second best. */
function isCodedAsPrinted(candidates: readonly Candidate[], type: CodedWords['type']): boolean {
  return candidates.some(
    (candidate) =>
      candidate.system === 'SNOMED' && candidate.isEquivalent && (type !== 'allergy' || candidate.score01 === 1),
  )
}

/** Each code once, where it stands first. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  const first = new Map<string, Candidate>()
  for (const each of candidates) {
    const key = `${each.system} ${each.code}`
    if (!first.has(key)) first.set(key, each)
  }
  return [...first.values()]
}

/** That there are none has codes of its own, by what was asked: who has no known drug allergy may well have one to nuts. */
const noKnownAllergy = {
  any: ['716186003', 'No known allergy (situation)'],
  drug: ['409137002', 'No known drug allergy (situation)'],
  food: ['429625007', 'No known food allergy (situation)'],
  environment: ['428607008', 'No known environmental allergy (situation)'],
} as const

function noAllergyCandidates(fact: CodedWords): Candidate[] {
  if (!deniesAllAllergies(fact)) return []
  const [code, display] = noKnownAllergy[deniedKind(fact.text) ?? 'any']
  return [{ system: 'SNOMED', code, display, score01: 1, method: 'rule', isEquivalent: true }]
}

function candidatesOfConcept(fact: CodedWords, concept: string | null): Candidate[] {
  if (concept === null) return noAllergyCandidates(fact)
  const [table, id] = splitConcept(concept)
  if (table === 'observations') return isOfOtherSpecimen(id, fact) ? [] : observationCandidates(id, fact)
  const isWider = wordFit(table, id, fact.text) === 'wider'
  return conceptCandidates(table, id, fact.type).map((candidate) => ({
    ...candidate,
    ...(isWider ? { isEquivalent: false, score01: candidate.score01 * 0.8 } : {}),
  }))
}

/** Creatinine in urine is not the test of serum, however alike the names. */
function isOfOtherSpecimen(id: string, { detail }: CodedWords): boolean {
  const specimen = specimenIn(detail.specimen ?? '')
  return specimen !== null && !isDoneOn(observationSpecimen(id), specimen)
}

function candidatesOfWords(fact: CodedWords): Candidate[] {
  return exactConcepts(fact.type, fact.text).flatMap(({ concept, isAmbiguous }) =>
    candidatesOfConcept(fact, concept).map((candidate) => ({
      ...candidate,
      method: 'exact' as const,
      score01: isAmbiguous ? candidate.score01 * 0.8 : candidate.score01,
    })),
  )
}

/** Of a test the unit says which code is meant, and the specimen whether it can be this test at all. */
function candidatesOfSearch(fact: CodedWords, found: FoundCode): Candidate[] {
  const { codeSystem: system, code, display, score01, method } = found
  const suggestion = { system, code, display, score01, method, isEquivalent: false }
  if (system !== 'LOINC') return [{ ...suggestion, isEquivalent: found.isEquivalent && fact.type !== 'social_history' }]
  const observation = observationOfLoinc([{ system, code, display }])
  if (observation === null) return [suggestion]
  const ofTest = candidatesOfConcept(fact, observation).find((candidate) => candidate.code === code)
  return ofTest === undefined ? [] : [{ ...suggestion, score01: score01 * ofTest.score01 }]
}

/** "No allergy to penicillin" denies penicillin alone: words that name a thing beside the kinds are no general denial. */
const deniesAllAllergies = (fact: CodedWords) =>
  fact.type === 'allergy' &&
  fact.status === 'negated' &&
  /\b(?:allerg|nk[df]?a\b|adverse|intoleran|nil\b|none\b|no known|denie)/i.test(fact.text) &&
  !deniesOneThing(fact.text)

function deniesOneThing(text: string): boolean {
  const object = /\b(?:allerg\w*|reactions?|intoleran\w*|nil|none)\s+(?:to|of)\s+(.+)$/i.exec(text)?.[1]
  return object !== undefined && !isOnly(object, 'drug', 'food', 'environment', 'anything')
}

function splitConcept(concept: string): readonly [string, string] {
  const colon = concept.indexOf(':')
  return [concept.slice(0, colon), concept.slice(colon + 1)]
}
