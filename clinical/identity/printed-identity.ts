import type { FoundFact } from '../document/found-fact.ts'
import type { PrintedIdentity } from './identity-gate.ts'

/** A fact with the places that it was found at. */
export type PrintedFact = Pick<FoundFact, 'type' | 'text' | 'value' | 'date' | 'detail' | 'strength'> & {
  readonly sources: readonly {
    readonly role: string
    readonly pageNumber: number
    readonly confidence01: number
  }[]
}

/** Who the document says it is about, from the identity facts found in it. */
export function printedIdentity(facts: readonly PrintedFact[]): PrintedIdentity {
  const identities = facts.filter((fact) => fact.type === 'identity')
  return {
    people: new Set(facts.flatMap(({ detail }) => detail.subject ?? [])).size,
    names: identities
      .filter((fact) => fact.detail.identityKind === 'name')
      .map((fact) => ({
        text: fact.value ?? fact.text,
        evidence: evidenceOf[fact.strength],
        legibility01: Math.min(1, ...fact.sources.map(({ confidence01 }) => confidence01)),
        pages: pagesOf(fact),
      })),
    birthDates: identities
      .filter((fact) => fact.detail.identityKind === 'date_of_birth')
      .flatMap((fact) => (fact.date === null ? [] : [{ ...fact.date, pages: pagesOf(fact) }])),
  }
}

const evidenceOf = { strong: 'patient', fair: 'name', weak: 'place' } as const

export function pagesOf({ sources }: Pick<PrintedFact, 'sources'>): readonly number[] {
  return [...new Set(sources.filter(({ role }) => role === 'name').map(({ pageNumber }) => pageNumber))]
}
