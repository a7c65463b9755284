import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, status, date, detail }: FoundFact) =>
  [text, date?.iso ?? '', detail.batch ?? '', status].join(' | ')
const doses = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === 'immunization')
    .map(row)

void test('a record with batch and site', async (t) => {
  t.strictSame(
    doses(
      'Immunisations\nVaccine\tDate given\tBatch\tSite\nFluQuadri\t14/04/2022\tA123B\tleft arm\nBoostrix\t02/08/2019\tAC37B\tright arm',
    ),
    ['FluQuadri | 2022-04-14 | A123B | present', 'Boostrix | 2019-08-02 | AC37B | present'],
  )
})

void test('a card with a date for each dose counts them all', async (t) => {
  t.strictSame(
    doses('Immunization Record\nVaccine\tDose 1\tDose 2\tDose 3\nHep B\t01/05/2001\t03/04/2001\t09/10/2001', {
      locale: 'en-US',
    }),
    ['Hep B | 2001-01-05 |  | present', 'Hep B | 2001-03-04 |  | present', 'Hep B | 2001-09-10 |  | present'],
  )
})

void test('given, refused and due are three things', async (t) => {
  t.strictSame(doses('Influenza vaccine given today 03/05/2021.'), ['Influenza vaccine | 2021-05-03 |  | present'])
  t.strictSame(doses('She declined the influenza vaccine.'), ['influenza vaccine |  |  | negated'])
  t.strictSame(doses('Shingles vaccine is due next year.'), [])
})
