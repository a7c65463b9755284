import { test } from 'tap'
import { factsOfOthers } from '../../../clinical/identity/facts-of-others.ts'
import { compareIdentity } from '../../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../../clinical/identity/printed-identity.ts'

const profile = { fullName: 'Wilhelmina Quist', displayName: 'Mum', dateOfBirth: '1961-04-09' }
const birth = (iso: string) => ({ iso, printed: iso, meaning: 'birth', certainty: 'printed' }) as const

const onPage = (pageNumber: number) => [{ role: 'name', pageNumber, confidence01: 1 }]

function person(subject: string, name: string, iso: string) {
  const common = { type: 'identity', text: name, value: name, strength: 'strong', sources: onPage(1) } as const
  return [
    { ...common, id: `${subject}n`, date: null, detail: { identityKind: 'name', subject } },
    { ...common, id: `${subject}b`, date: birth(iso), detail: { identityKind: 'date_of_birth', subject } },
  ]
}
const finding = (id: string, subject?: string) => ({
  id,
  type: 'condition' as const,
  text: 'Asthma',
  value: null,
  date: null,
  strength: 'fair' as const,
  sources: onPage(1),
  detail: subject === undefined ? {} : { subject },
})
const own = person('1', 'Wilhelmina Quist', '1961-04-09')

test('a file about several people waits, even where one of them is this person beyond doubt', (t) => {
  const nameless = [finding('x', '1'), finding('y', '2')]
  t.match(compareIdentity(printedIdentity([...own, ...nameless]), profile), {
    verdict: 'review',
    reasons: ['several_people'],
  })
  t.match(compareIdentity(printedIdentity([...own, finding('x', '1')]), profile), { verdict: 'match' })
  t.end()
})

test('only what is about this person may count, and nothing where that cannot be told', (t) => {
  const other = person('2', 'Ann Other', '1980-01-01')
  const facts = [...own, ...other, finding('mine', '1'), finding('hers', '2'), finding('whose')]
  t.same([...factsOfOthers(facts, profile)], ['2n', '2b', 'hers', 'whose'])
  const twins = [...own, ...person('2', 'Wilhelmina Quist', '1961-04-09'), finding('mine', '1')]
  t.equal(factsOfOthers(twins, profile).size, twins.length)
  t.equal(factsOfOthers([...own, finding('mine', '1'), finding('loose')], profile).size, 0, 'one person is no crowd')
  t.end()
})

test('of two people’s papers in one file only this person’s pages may count, also once the file is accepted', (t) => {
  const page = (pageNumber: number, name: string, iso: string) =>
    person('', name, iso).map((fact) => ({
      ...fact,
      id: `${fact.id}${pageNumber}`,
      detail: { identityKind: fact.detail.identityKind },
      sources: onPage(pageNumber),
    }))
  const onPages = (...pages: number[]) => pages.map((at) => ({ ...finding(`p${at}`), sources: onPage(at) }))
  const bundle = [
    ...page(1, 'Wilhelmina Quist', '1961-04-09'),
    ...page(2, 'Ann Other', '1980-01-01'),
    ...page(4, 'Wilhelmina Quist', '1961-04-09'),
    ...onPages(1, 2, 3, 4),
  ]
  t.match(compareIdentity(printedIdentity(bundle), profile), { verdict: 'review' })
  t.same([...factsOfOthers(bundle, profile)], ['n2', 'b2', 'p2', 'p3'], 'and the page behind, which names nobody')
  const married = [...page(1, 'Wilhelmina Moss', '1961-04-09'), ...page(2, 'Wilhelmina Quist', '1961-04-09')]
  t.equal(factsOfOthers([...married, ...onPages(1, 2)], profile).size, 0, 'a doubt is settled by who accepts the file')
  t.equal(factsOfOthers([...page(1, 'Ann Other', '1980-01-01'), ...onPages(1)], profile).size, 0)
  t.end()
})
