import { compareIdentity, pagesOfOthers, type ProfileIdentity } from './identity-gate.ts'
import { pagesOf, printedIdentity, type PrintedFact } from './printed-identity.ts'

type Fact = PrintedFact & { readonly id: string }

/**
 * In a file about several people only what it says of this profile's person may count, whatever a reviewer has decided
 * on the file as a whole. Where not exactly one of them is this person, nothing does.
 */
export function factsOfOthers(facts: readonly Fact[], profile: ProfileIdentity): ReadonlySet<string> {
  const bySubject = Map.groupBy(facts, ({ detail }) => detail.subject ?? null)
  const subjects = [...bySubject.keys()].filter((subject) => subject !== null)
  if (subjects.length < 2) return onPagesOfOthers(facts, profile)
  const own = subjects.filter((subject) => {
    const { people: _all, ...printed } = printedIdentity(bySubject.get(subject) ?? [])
    const { verdict, basis } = compareIdentity(printed, profile)
    return verdict === 'match' && basis !== 'nothing'
  })
  const others = facts.filter(({ detail }) => own.length !== 1 || detail.subject !== own[0])
  return new Set(others.map(({ id }) => id))
}

/**
 * Two people's papers in one file: a page that names somebody else altogether, where another names this person, and the
 * pages after it that name nobody.
 */
function onPagesOfOthers(facts: readonly Fact[], profile: ProfileIdentity): ReadonlySet<string> {
  const printed = printedIdentity(facts)
  const others = pagesOfOthers(printed, profile)
  const named = [...new Set([...printed.names, ...printed.birthDates].flatMap(({ pages }) => pages))]
  const isStrangers = (page: number) => others.get(page)?.verdict === 'reject'
  if (named.every((page) => others.has(page))) return new Set()
  const ofOthers = facts.filter((fact) => {
    const pages = pagesOf(fact).map((page) => named.filter((each) => each <= page).toSorted((a, b) => b - a)[0])
    return pages.length > 0 && pages.every((page) => page !== undefined && isStrangers(page))
  })
  return new Set(ofOthers.map(({ id }) => id))
}
