import { test } from 'tap'
import {
  compareIdentity,
  type IdentityVerdict,
  type ProfileIdentity,
} from '../../../clinical/identity/identity-gate.ts'

const birth = (iso: string, certainty: 'printed' | 'locale' | 'ambiguous' = 'printed', printed = iso) => ({
  iso,
  printed,
  certainty,
})
type Printed = { readonly names?: readonly string[]; readonly births?: ReturnType<typeof birth>[] }

function verdictOn(profile: Partial<ProfileIdentity>, printed: Printed): IdentityVerdict {
  const known = { fullName: null, displayName: 'me', dateOfBirth: null, ...profile }
  const names = (printed.names ?? []).map((text) => ({ text, evidence: 'name', legibility01: 1, pages: [1] }) as const)
  const birthDates = (printed.births ?? []).map((date) => ({ ...date, pages: [1] }))
  return compareIdentity({ names, birthDates }, known)
}

const jane = { fullName: 'Jane Marie Citizen', dateOfBirth: '1961-04-09' }

test('one name in the forms that documents print it', (t) => {
  const forms: readonly (readonly [profile: string, printed: string])[] = [
    ['Jane Citizen', 'CITIZEN, Jane'],
    ['Jane Citizen', 'CITIZEN, JANE MARIE'],
    ['Jane Marie Citizen', 'Mrs Jane M. Citizen'],
    ['Jane Marie Citizen', 'jane citizen'],
    ['Jane Citizen', 'Ms. Jane CITIZEN (DOB 9/4/1961)'],
    ['Zoë Brontë', 'ZOE BRONTE'],
    ["Aoife O'Brien", 'O BRIEN, Aoife'],
    ["Aoife O'Brien", "O'Brien, Aoife Mary"],
    ['Mary Smith-Jones', 'SMITH JONES, Mary'],
    ['Jan van der Berg', 'VAN DER BERG, Jan'],
    ['Nguyen Thi Mai', 'Thi Mai Nguyen'],
    ['Angus MacDonald', 'Mac Donald, Angus'],
    ['Karin Söderström', 'SODERSTROM Karin'],
    ['Lukasz Wojcik', 'WÓJCIK, Łukasz'],
    ['Tom Barnes', 'BAMES, Tom'],
    ['William Hillier', 'William Hiliier'],
    ['Margaret Featherstone', 'Margaret Featherston'],
  ]
  for (const [profile, printed] of forms)
    t.equal(verdictOn({ fullName: profile }, { names: [printed] }).verdict, 'match', `${profile} is ${printed}`)
  t.end()
})

test('somebody else does not pass', (t) => {
  const others: readonly (readonly [profile: string, printed: string, verdict: string])[] = [
    ['Jane Citizen', 'John Citizen', 'review'],
    ['Maria Rossi', 'Mario Rossi', 'review'],
    ['Jane Citizen', 'Jane Farmer', 'review'],
    ['Jane Citizen', 'Robert Farmer', 'reject'],
    ['Jane Citizen', 'J Citizen', 'review'],
    ['Robert Farmer', 'Bob Farmer', 'review'],
    ['Anna Maria Rossi', 'Maria Rossi', 'review'],
    ['Thomas Thomas', 'Thomas Evans', 'review'],
    ['Mary Smith-Jones', 'Mary Smith', 'review'],
    ['Li Wei', 'Li Na', 'review'],
    ['Ann Lee', 'Lee Chan', 'review'],
  ]
  for (const [profile, printed, verdict] of others)
    t.equal(verdictOn({ fullName: profile }, { names: [printed] }).verdict, verdict, `${profile} is not ${printed}`)
  t.end()
})

test('the date of birth decides where it can', (t) => {
  t.match(verdictOn(jane, { names: ['Jane Citizen'], births: [birth('1961-04-09')] }), {
    verdict: 'match',
    basis: 'name_and_birth_date',
  })
  t.match(verdictOn(jane, { names: ['Jane Citizen'], births: [birth('1961-04-19')] }), {
    verdict: 'review',
    reasons: ['date_of_birth_differs'],
  })
  t.match(verdictOn(jane, { names: ['Robert Farmer'], births: [birth('1990-01-01')] }), {
    verdict: 'reject',
    reasons: ['name_differs', 'date_of_birth_differs'],
  })
  t.equal(verdictOn(jane, { births: [birth('1961-04-09')] }).verdict, 'match', 'with no name printed')
  t.equal(verdictOn(jane, { births: [birth('1962-04-09')] }).verdict, 'review', 'with no name printed')
  t.equal(
    verdictOn(jane, { names: ['J Citizen'], births: [birth('1961-04-09')] }).verdict,
    'match',
    'an initial is enough',
  )
  t.equal(
    verdictOn(jane, { names: ['John Citizen'], births: [birth('1961-04-09')] }).verdict,
    'review',
    'twins are born on one day',
  )
  t.equal(
    verdictOn(jane, { names: ['Jane Farmer'], births: [birth('1961-04-09')] }).verdict,
    'review',
    'a name that disagrees waits, also when the day agrees',
  )
  t.end()
})

test('dates that may mean the same day do not disagree', (t) => {
  const verdict = (date: ReturnType<typeof birth>) =>
    verdictOn(jane, { names: ['Jane Citizen'], births: [date] }).verdict
  t.equal(verdict(birth('1961-09-04', 'locale', '09/04/1961')), 'match', 'day and month the other way round')
  t.equal(verdict(birth('1961-09-04', 'printed', '4 September 1961')), 'review', 'but not when the month is a word')
  t.equal(verdict(birth('2061-04-09', 'locale', '9/4/61')), 'match', 'two figures for the year')
  t.equal(verdict(birth('1961')), 'match', 'a year alone')
  t.equal(verdict(birth('1962')), 'review', 'another year')
  t.equal(
    verdictOn(jane, { births: [birth('1961-04-09'), birth('1961-04-08')] }).verdict,
    'match',
    'the same date misread on another page',
  )
  t.equal(
    verdictOn(jane, { births: [birth('1961-04-09'), birth('1990-12-30')] }).verdict,
    'review',
    'a second person in the file',
  )
  t.end()
})

test('a file that names two people waits', (t) => {
  const two = { names: ['Jane Citizen', 'Robert Farmer'] }
  t.match(verdictOn({ fullName: 'Jane Citizen' }, two), { verdict: 'review', reasons: ['several_people'] })
  t.equal(verdictOn({ fullName: 'Jane Citizen' }, { names: ['Jane Citizen', 'CITIZEN, Jane'] }).verdict, 'match')
  t.end()
})

test('a profile is compared as far as it says who it is', (t) => {
  const named = (displayName: string, names: string[]) => verdictOn({ displayName }, { names })
  for (const nobody of ['me', 'Mum', 'My son', 'jane84', 'jane@example.test', 'Test User', '…'])
    t.match(named(nobody, ['Robert Farmer']), { verdict: 'match', basis: 'nothing' }, `${nobody} names nobody`)
  t.equal(named('Grandma Jane', ['Jane Citizen']).verdict, 'match')
  t.equal(named('Jane', ['Jane Citizen']).verdict, 'match', 'a given name is compared as one')
  t.equal(named('Jane', ['Robert Farmer']).verdict, 'reject')
  t.equal(named('Jane Citizen', ['Robert Farmer']).verdict, 'reject')
  t.equal(
    verdictOn({ displayName: 'Robert', fullName: 'Jane Citizen' }, { names: ['Robert Farmer'] }).verdict,
    'reject',
    'a display name proves nothing where there is a full name',
  )
  t.end()
})

test('what names nobody holds nothing back', (t) => {
  t.match(verdictOn(jane, {}), { verdict: 'match', basis: 'nothing' })
  t.match(verdictOn(jane, { names: ['Immunisation Record', '12345'] }), { verdict: 'match', basis: 'nothing' })
  t.end()
})
