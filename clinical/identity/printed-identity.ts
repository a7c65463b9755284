import type { FoundFact } from '../document/found-fact.ts'
import type { PrintedIdentity } from './identity-gate.ts'

/** Who the document says it is about, from the identity facts found in it. */
export function printedIdentity(
  facts: readonly Pick<FoundFact, 'type' | 'text' | 'value' | 'date' | 'detail'>[],
): PrintedIdentity {
  const identities = facts.filter((fact) => fact.type === 'identity')
  return {
    people: new Set(facts.flatMap(({ detail }) => detail.subject ?? [])).size,
    names: identities.filter((fact) => fact.detail.identityKind === 'name').map((fact) => fact.value ?? fact.text),
    birthDates: identities
      .filter((fact) => fact.detail.identityKind === 'date_of_birth')
      .flatMap((fact) => (fact.date === null ? [] : [fact.date])),
  }
}
