/**
 * Which of the findings of a run people have decided on already, so that it is not found a second time. A decision is on
 * what stands at a place. The place is what it is known by: words that were read wrong may be read right this time, and
 * the same words at another place are another mention, on which nobody has decided.
 */
import type { FactRow } from '../schema/facts.ts'
import type { NewFact, NewSource } from './found-facts.ts'

export type KnownFinding = Pick<
  FactRow,
  | 'id'
  | 'review'
  | 'textVersion'
  | 'findingKey'
  | 'factType'
  | 'factText'
  | 'factStatus'
  | 'value'
  | 'unit'
  | 'foundDate'
> & { readonly sources: readonly Place[] }
type Place = Pick<NewSource, 'role' | 'pageNumber' | 'x0' | 'y0' | 'x1' | 'y1'>

/** By the decided fact's id, the finding of this run that it is about; each is about one at most. */
export function pairDecided(
  known: readonly KnownFinding[],
  facts: readonly NewFact[],
  textVersion: number,
): ReadonlyMap<string, NewFact> {
  const decided = known.filter((each) => each.review !== 'unreviewed').map(readingOf)
  const undecided = new Set(known.filter((each) => each.review === 'unreviewed').map((each) => onPage(readingOf(each))))
  // Of a long report each decision looks among the findings of its own type and page.
  const byPage = Map.groupBy(facts.map(readingOf), bucketOf)
  const pairs = new Map<string, NewFact>()
  const taken = new Set<NewFact>()
  // First what is surely the same, so that nothing less sure takes it away.
  const rules: readonly ((one: Reading<KnownFinding>, found: Reading<NewFact>) => boolean)[] = [
    ({ of: one }, { of: fact }) => one.textVersion === textVersion && one.findingKey === fact.findingKey,
    (one, found) => one.meaning === found.meaning && isAtPlaceOf(one.of, found.of),
    // What a person accepted or corrected is settled whatever the words are read as; a no is to what was read.
    (one, found) => one.of.review !== 'rejected' && isAtPlaceOf(one.of, found.of),
    // A page that is turned or cut otherwise moves everything on it.
    (one, found) => one.meaning === found.meaning && !undecided.has(onPage(one)),
  ]
  for (const isSame of rules) {
    for (const one of decided) {
      if (pairs.has(one.of.id)) continue
      const found = byPage.get(bucketOf(one))?.find((each) => !taken.has(each.of) && isSame(one, each))
      if (found === undefined) continue
      pairs.set(one.of.id, found.of)
      taken.add(found.of)
    }
  }
  return pairs
}

type Finding = Meant & { readonly sources: readonly Place[] }
type Reading<Of extends Finding> = { readonly of: Of; readonly meaning: string; readonly page: number | null }

const readingOf = <Of extends Finding>(of: Of): Reading<Of> => ({
  of,
  meaning: meaningOf(of),
  page: of.sources[0]?.pageNumber ?? null,
})

const bucketOf = ({ of, page }: Reading<Finding>) => `${of.factType} ${page}`
const onPage = ({ meaning, page }: Reading<Finding>) => `${page} ${meaning}`

type Meant = Pick<NewFact, 'factType' | 'factText' | 'factStatus' | 'value' | 'unit' | 'foundDate'>

/** What is said, wherever it stands. */
function meaningOf({ factType, factText, factStatus, value, unit, foundDate }: Meant): string {
  return JSON.stringify([factType, factText.toLowerCase(), factStatus, value ?? null, unit ?? null, isoOf(foundDate)])
}

/** JSON from the database has its keys in another order, so the date is compared by what it means. */
function isoOf(date: unknown): unknown {
  return typeof date === 'object' && date !== null && 'iso' in date ? date.iso : null
}

/** Name on name and, where both have one, value on value: a row of a table has one name and many values. */
function isAtPlaceOf(
  one: { readonly sources: readonly Place[] },
  fact: { readonly sources: readonly Place[] },
): boolean {
  return (
    meets(placesOf(one, 'name'), placesOf(fact, 'name')) &&
    meetsIfBoth(placesOf(one, 'value'), placesOf(fact, 'value')) &&
    meetsIfBoth(placesOf(one, 'date'), placesOf(fact, 'date'))
  )
}

const placesOf = ({ sources }: { readonly sources: readonly Place[] }, role: string) =>
  sources.filter((place) => place.role === role)

const meetsIfBoth = (some: readonly Place[], others: readonly Place[]) =>
  some.length === 0 || others.length === 0 || meets(some, others)

const meets = (some: readonly Place[], others: readonly Place[]) =>
  some.some((a) => others.some((b) => a.pageNumber === b.pageNumber && overlap01(a, b) >= 0.3))

/** Of the smaller box: the same name may be found with a word more or less. */
function overlap01(a: Place, b: Place): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0)
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0)
  if (width <= 0 || height <= 0) return 0
  const area = (box: Place) => (box.x1 - box.x0) * (box.y1 - box.y0)
  return (width * height) / Math.min(area(a), area(b))
}
