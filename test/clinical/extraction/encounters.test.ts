import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

type Options = Parameters<typeof printDocument>[1]
const contacts = (source: string, options: Options = {}) =>
  findFacts(printDocument(source, options)).facts.filter((fact) => fact.type === 'encounter')
const told = (source: string, options: Options = {}) =>
  contacts(source, options).map(({ date, detail, status }) =>
    [date?.iso, detail.endDate ?? '', detail.encounterType, status].join(' | '),
  )

const single: readonly (readonly [string, string, Options?])[] = [
  ['Progress note\t18 June 2024\nSeen for cough.', '2024-06-18 |  | visit | present', { documentClass: 'clinic_note' }],
  ['14 May 2023\nDear Dr Wong,\nShe was seen in clinic today.', '2023-05-14 |  | visit | present'],
  ['Clinic review\nDate: 14 May 2023\nMr Hale attended the clinic today.', '2023-05-14 |  | visit | present'],
  ['Admission 2/3/2020 – 5/3/2020', '2020-03-02 | 2020-03-05 | admission | present'],
  ['Hospital stay: 2 March 2020 to 5 March 2020', '2020-03-02 | 2020-03-05 | admission | present'],
  ['Hospitalized 03/02/2020 through 03/05/2020', '2020-03-02 | 2020-03-05 | admission | present', { locale: 'en-US' }],
  [
    'He was admitted to the Royal Example Hospital with pneumonia on 4 June 2022.',
    '2022-06-04 |  | admission | present',
  ],
  [
    'Emergency Department Note\nDate of Service: 03/14/2023',
    '2023-03-14 |  | emergency | present',
    { locale: 'en-US' },
  ],
  ['Telephone consultation 02/06/2022 Dr Peter Hall', '2022-06-02 |  | telehealth | present'],
  ['Date of clinic: 12 February 2024', '2024-02-12 |  | visit | present'],
  ['She was seen in ED on 3 May 2021 with chest pain.', '2021-05-03 |  | emergency | historical'],
  ['On 12 March 2022 she attended Bayside Clinic.', '2022-03-12 |  | visit | historical'],
  ['Reviewed at Bayside Clinic on 12 March 2022.', '2022-03-12 |  | visit | historical'],
  ['I reviewed Mrs Lee on 3 March 2024.', '2024-03-03 |  | visit | present'],
]

void test('contacts as documents word them', async (t) => {
  for (const [source, expected, options] of single) t.strictSame(told(source, options), [expected], source)
})

const none: readonly (readonly [string, Options?])[] = [
  ['Collected: 12/01/2022 Reported: 13/01/2022'],
  ['Follow-up on 4 August 2023 at the clinic.'],
  ['He is scheduled for an office visit on 07/01/2024.'],
  ['Planned admission: 12/05/2025'],
  ['For admission on 3 June 2025 for a hip replacement.'],
  ['She did not attend on 14/02/2024.'],
  ['She was not seen on 14/02/2024.'],
  ['Her mother was seen at Bayside Clinic on 3 June 2019.'],
  ['I reviewed her MRI from 2 March 2024.'],
  ['Reviewed labs from 10/03/2024 with her.'],
  ['She visited her daughter in Perth on 25/12/2023.'],
  ['If not better she will be seen on 25/03/2024.'],
  ['Reviewed by Dr Smith on 14/02/2024', { documentClass: 'lab_report' }],
  ['4 May 2023\tDr Wong\nDear Dr Wong,\nPlease see this man.', { documentClass: 'referral_letter' }],
  ['Past history\n12/03/2009 Dr Lee removed the appendix'],
  ['Upcoming appointments\n15/01/2026 Office visit'],
  ['DNA 10/06/2022 Dr Peter Hall'],
]

void test('what is no contact of the patient', async (t) => {
  for (const [source, options] of none) t.strictSame(told(source, options), [], source)
})

void test('several stays and the entries of a running history are contacts of their own', async (t) => {
  t.strictSame(told('Admission 2/3/2020 – 5/3/2020\nPneumonia.\nAdmission 7/9/2021 – 12/9/2021\nHip fracture.'), [
    '2020-03-02 | 2020-03-05 | admission | present',
    '2021-09-07 | 2021-09-12 | admission | present',
  ])
  const history = '12/03/2019 Dr Lee: Cough. Temp 38.1.\n18/03/2019 Dr Lee: Better.\n04/09/2020 Nurse Patel: BP 150/90.'
  t.strictSame(told(history), [
    '2019-03-12 |  | visit | present',
    '2019-03-18 |  | visit | present',
    '2020-09-04 |  | visit | present',
  ])
  const measured = findFacts(printDocument(history)).facts.filter((fact) => fact.type === 'vital_sign')
  t.strictSame(
    measured.map(({ text, date }) => `${text} ${date?.iso ?? ''}`),
    ['Temp 2019-03-12', 'BP 2020-09-04'],
  )
})

void test('days inside a stay are no visits, an earlier stay is told of', async (t) => {
  const record = 'Admitted: 01/02/2023\nDischarged: 04/02/2023\n02/02/2023 Dr Hill: afebrile.'
  t.strictSame(told(record), ['2023-02-01 | 2023-02-04 | admission | present'])
  t.strictSame(
    told('Date of admission: 28/11/2019\nDate of discharge: 02/12/2019\nShe was previously admitted on 3 May 2017.'),
    ['2019-11-28 | 2019-12-02 | admission | present', '2017-05-03 |  | admission | historical'],
  )
})

void test('who and where, as printed and with their words', async (t) => {
  const document = printDocument(
    'Lakeside Medical Centre\nVisit date: 12/01/2022\nAttending: Robert Hale, MD\nReferring doctor: Dr Anna Moss',
  )
  const [visit] = findFacts(document).facts.filter((fact) => fact.type === 'encounter')
  t.match(visit?.detail, { provider: 'Robert Hale, MD', facility: 'Lakeside Medical Centre' })
  t.strictSame(
    visit?.spans
      .filter(({ role }) => role === 'detail')
      .map(({ start, length }) => document.text.slice(start, start + length)),
    ['Robert Hale, MD', 'Lakeside Medical Centre'],
  )
  const [letter] = contacts(
    '14 May 2023\nI reviewed him in clinic today.\nYours sincerely,\nDr Helen Marsh\nCardiologist',
  )
  t.equal(letter?.detail.provider, 'Dr Helen Marsh')
  const [referred] = contacts('Visit date: 12/01/2022\nReferring provider: Dr Anna Moss')
  t.equal(referred?.detail.provider, undefined)
  const visits = contacts(
    'Office visit: 05/03/2020\nProvider: Maria Santos, NP\nLocation: Elm Street Clinic\nOffice visit: 17/09/2020\nProvider: James Wu, MD',
  )
  t.strictSame(
    visits.map(({ detail }) => [detail.provider, detail.facility]),
    [
      ['Maria Santos, NP', 'Elm Street Clinic'],
      ['James Wu, MD', undefined],
    ],
  )
})
