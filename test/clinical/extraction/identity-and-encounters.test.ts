import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const identity = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === 'identity')
    .map(({ detail, text, date }) => [detail.identityKind, text, date?.iso ?? ''].join(' | '))
const encounters = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === 'encounter')
    .map(({ text, date, detail }) => [text, date?.iso, detail.endDate ?? ''].join(' | '))

void test('name, birth date and numbers as printed', async (t) => {
  t.strictSame(
    identity('Patient: Noreen Webb\nDOB: 04/11/1961\nSex: Female\nMedicare No. 2951 47363 1/2\nMRN: HX449201'),
    [
      'name | Noreen Webb | ',
      'date_of_birth | 04/11/1961 | 1961-11-04',
      'sex | Female | ',
      'medicare_number | 2951 47363 1/2 | ',
      'mrn | HX449201 | ',
    ],
  )
  t.strictSame(identity('RE: Mr Paul O’Dowd, DOB 23/09/1955\nDear Dr Chen,'), [
    'name | Mr Paul O’Dowd | ',
    'date_of_birth | 23/09/1955 | 1955-09-23',
  ])
  t.strictSame(identity('WEBB, NOREEN\nDOB: 11/04/1961 AGE: 60', { locale: 'en-US' }), [
    'name | WEBB, NOREEN | ',
    'date_of_birth | 11/04/1961 | 1961-11-04',
  ])
})

void test('doctors are not the patient', async (t) => {
  t.strictSame(identity('Name: Dr Susan Chan\nConsultant: Mark Lee MD'), [])
})

void test('a stay and a visit are contacts, a collection is not', async (t) => {
  t.strictSame(encounters('Admitted\t02/03/2022\tDischarged\t06/03/2022'), ['Admitted | 2022-03-02 | 2022-03-06'])
  t.strictSame(encounters('Date of visit: 12/01/2022'), ['Date of visit | 2022-01-12 | '])
  t.strictSame(encounters('Collected: 12/01/2022 Reported: 13/01/2022'), [])
  t.strictSame(encounters('Follow-up appointment: 12/01/2022'), [])
})

void test('names as forms and reports print them', async (t) => {
  const names = (source: string) =>
    identity(source)
      .filter((line) => line.startsWith('name'))
      .map((line) => line.split(' | ')[1])
  t.strictSame(names('Patient WEBB, Noreen\tDOB 04/11/1961'), ['WEBB, Noreen'])
  t.strictSame(names('Mrs Noreen WEBB\tLab ref 22-4471\nDOB: 04/11/1961'), ['Mrs Noreen WEBB'])
  t.strictSame(names('Name\tNoreen Webb\nDate of birth\t04/11/1961'), ['Noreen Webb'])
  t.strictSame(names('Harbourside Pathology\nDOB: 04/11/1961'), [])
  t.strictSame(names('Requested by Dr Paul Lee\tDOB: 04/11/1961'), [])
})
