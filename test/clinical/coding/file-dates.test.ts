import { test } from 'tap'
import { dateFitsFile, datesOfFile, type FileDates } from '../../../clinical/coding/file-dates.ts'
import type { FoundDate, FoundFact } from '../../../clinical/document/found-fact.ts'

type Dated = Parameters<typeof dateFitsFile>[0]
const dated = (
  type: FoundFact['type'],
  iso: string,
  changes: Partial<Dated & Pick<FoundDate, 'meaning'>> = {},
): Dated => {
  const { meaning = type === 'encounter' ? 'visit' : 'collected', ...rest } = changes
  return { type, status: 'present', detail: {}, date: { iso, printed: iso, meaning, certainty: 'printed' }, ...rest }
}
const stay = dated('encounter', '2024-03-03', { detail: { endDate: '2024-03-08' } })
const today = '2025-01-01'
const reasonOf = (fact: Dated, file: FileDates) => dateFitsFile(fact, file)?.reason ?? null

test('what a document tells of is no younger than the document', (t) => {
  const file = datesOfFile([stay], { documentDate: '2024-03-09', today })
  t.match(dateFitsFile(dated('lab_result', '2024-03-10'), file), {
    weight: 'check',
    reason: /after the date of the document/,
  })
  t.match(reasonOf(dated('procedure', '2024-04', { meaning: 'performed' }), file), /after/, 'as far as it is printed')
  t.match(reasonOf(dated('encounter', '2024-06-01'), file), /after/)
  for (const [fact, why] of [
    [dated('lab_result', '2024-03-09'), 'the same day'],
    [dated('lab_result', '2024-03'), 'a month that the day lies in'],
    [dated('lab_result', '2024'), 'a year that the day lies in'],
    [dated('lab_result', '2021-07-01'), 'letters tell of what was before'],
    [dated('encounter', '2024-06-01', { status: 'hypothetical' }), 'what is planned lies ahead'],
    [dated('medication', '2024-06-01', { meaning: 'stopped' }), 'a course may end later'],
    [{ ...dated('lab_result', '2024-01-01'), date: null }, 'what is not dated'],
  ] as const)
    t.equal(reasonOf(fact, file), null, why)
  t.end()
})

test('where nobody has said of which day the document is, nothing is after it', (t) => {
  const file = datesOfFile([stay], { documentDate: null, today })
  t.equal(reasonOf(dated('lab_result', '2024-07-01'), file), null)
  t.end()
})

test('of several documents in one file the last says how far it reaches, but no day to come does', (t) => {
  const later = dated('lab_result', '2024-08-02', { meaning: 'reported' })
  const misread = dated('lab_result', '2034-08-02', { meaning: 'reported' })
  const file = datesOfFile([stay, later, misread], { documentDate: '2024-03-09', today })
  t.equal(reasonOf(dated('lab_result', '2024-08-01'), file), null)
  t.match(reasonOf(dated('lab_result', '2024-09-01'), file), /after/)
  t.end()
})

test('a measurement whose year is one figure off the stay is to be looked at', (t) => {
  const file = datesOfFile([stay], { documentDate: '2024-03-09', today })
  for (const iso of ['2014-03-05', '2023-03-03', '2020-03-08'])
    t.match(reasonOf(dated('lab_result', iso), file), /one other figure/, iso)
  for (const [fact, why] of [
    [dated('lab_result', '2024-03-05'), 'it fits'],
    [dated('lab_result', '2023-03-09'), 'another day'],
    [dated('lab_result', '2013-03-05'), 'two figures'],
    [dated('lab_result', '2023-03'), 'no day'],
    [dated('condition', '2023-03-05', { meaning: 'onset' }), 'a disease may begin on any day'],
  ] as const)
    t.equal(reasonOf(fact, file), null, why)

  const visits = datesOfFile([stay, dated('encounter', '2023-03-05')], { documentDate: '2024-03-09', today })
  t.equal(reasonOf(dated('lab_result', '2023-03-05'), visits), null, 'there was a contact on that day, too')
  t.end()
})

test('a stay across new year has two years', (t) => {
  const overNewYear = dated('encounter', '2023-12-30', { detail: { endDate: '2024-01-03' } })
  const file = datesOfFile([overNewYear], { documentDate: '2024-01-04', today })
  t.match(
    reasonOf(dated('vital_sign', '2023-01-02'), file),
    /one other figure/,
    'the new year is written as the old one',
  )
  t.equal(reasonOf(dated('vital_sign', '2023-12-31'), file), null)
  t.end()
})

test('contacts that a file only tells of, or that did not happen, bind nothing', (t) => {
  const told = (['historical', 'negated', 'hypothetical', 'family', 'uncertain'] as const).map((status) => ({
    ...stay,
    status,
  }))
  t.same(datesOfFile(told, { documentDate: null, today }).contacts, [])
  t.end()
})

test('a contact does not end before it begins', (t) => {
  const file = datesOfFile([], { documentDate: null, today })
  t.match(reasonOf(dated('encounter', '2024-03-08', { detail: { endDate: '2024-03-03' } }), file), /before it begins/)
  t.match(reasonOf(dated('encounter', '2024-03-08', { detail: { endDate: '2023' } }), file), /before it begins/)
  t.equal(reasonOf(stay, file), null)
  t.equal(reasonOf(dated('encounter', '2024-03-08', { detail: { endDate: '2024' } }), file), null)
  t.end()
})
