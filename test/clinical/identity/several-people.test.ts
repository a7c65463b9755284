import { test } from 'tap'
import { factsOfOthers } from '../../../clinical/identity/facts-of-others.ts'
import { compareIdentity } from '../../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../../clinical/identity/printed-identity.ts'

const profile = { fullName: 'Wilhelmina Quist', displayName: 'Mum', dateOfBirth: '1961-04-09' }
const birth = (iso: string) => ({ iso, printed: iso, meaning: 'birth', certainty: 'printed' }) as const

function person(subject: string, name: string, iso: string) {
  const common = { type: 'identity', text: name, value: name } as const
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
