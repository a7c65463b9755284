/**
 * Admission: what a found and coded fact becomes in the record. Each kind decides for itself in its `admit.ts`; no kind
 * may turn a mention that is negated, of the family, or only possible into something that the patient has.
 */
import type { NewEncounter, NewEvent, NewSpoke } from '../../db/queries/clinical.ts'
import type { Coding } from '../coding/coding.ts'
import type { FoundFact } from '../document/found-fact.ts'

export type CodedFact = Omit<FoundFact, 'spans' | 'foundBy' | 'strength'> & { readonly coding: Coding }

export type Spoke = NewSpoke
type Hub = NewEvent['hub']

/**
 * Two mentions are the same fact when their bases are equal and no qualifier contradicts: a qualifier that is not
 * printed agrees with any.
 */
export type MergeKey = {
  readonly base: string
  readonly qualifiers: readonly (string | null)[]
  readonly scope: 'patient' | 'file'
}

export type Admission =
  | {
      readonly kind: 'event'
      readonly eventType: Hub['eventType']
      readonly assertion: Hub['assertion']
      readonly mergeKey: MergeKey
      readonly spoke: Spoke
    }
  | {
      readonly kind: 'encounter'
      readonly row: Pick<NewEncounter, 'encounterKind' | 'name' | 'startDate' | 'endDate' | 'provider' | 'facility'> & {
        readonly assertion: Exclude<FoundFact['status'], 'negated' | 'family'>
      }
    }
  /** Has no place in the record, but is kept and shown. */
  | { readonly kind: 'noted'; readonly reason: string }

export type Admit = (fact: CodedFact) => Admission

/** The name and code that every spoke repeats. */
export function spokeHead(fact: CodedFact): {
  name: string
  codeSystem: string | null
  code: string | null
  codeDisplay: string | null
} {
  const selected = fact.coding.selected
  return {
    name: fact.text,
    codeSystem: selected?.system ?? null,
    code: selected?.code ?? null,
    codeDisplay: selected?.display ?? null,
  }
}

export const aboutRelative: Admission = {
  kind: 'noted',
  reason: 'This is about a relative. Only the conditions of relatives are part of the record.',
}
