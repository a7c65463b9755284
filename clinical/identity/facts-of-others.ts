import type { FoundFact } from '../document/found-fact.ts'
import { compareIdentity, type ProfileIdentity } from './identity-gate.ts'
import { printedIdentity } from './printed-identity.ts'

type Fact = Pick<FoundFact, 'type' | 'text' | 'value' | 'date' | 'detail'> & { readonly id: string }

/**
 * In a file about several people only what it says of this profile's person may count, whatever a reviewer has decided
 * on the file as a whole. Where not exactly one of them is this person, nothing does.
 */
export function factsOfOthers(facts: readonly Fact[], profile: ProfileIdentity): ReadonlySet<string> {
  const bySubject = Map.groupBy(facts, ({ detail }) => detail.subject ?? null)
  const subjects = [...bySubject.keys()].filter((subject) => subject !== null)
  if (subjects.length < 2) return new Set()
  const own = subjects.filter((subject) => {
    const { people: _all, ...printed } = printedIdentity(bySubject.get(subject) ?? [])
    const { verdict, basis } = compareIdentity(printed, profile)
    return verdict === 'match' && basis !== 'nothing'
  })
  const others = facts.filter(({ detail }) => own.length !== 1 || detail.subject !== own[0])
  return new Set(others.map(({ id }) => id))
}
