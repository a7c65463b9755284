import { test } from 'tap'
import type { LineKind, MappedDocument } from '../../../../clinical/document/mapped.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import { rowsAt, typeset, type Setting } from './typeset.ts'

const at = (x: number, y: number, text: string, more: Partial<Setting> = {}): Setting => ({ x, y, text, ...more })
const block = (x: number, y: number, texts: readonly string[], pitch = 12): Setting[] =>
  texts.map((text, place) => at(x, y + place * pitch, text))
const mapped = (...pages: readonly (readonly Setting[])[]): MappedDocument =>
  mapPages(pages.map((settings, index) => typeset(settings, { number: index + 1 })))
const printed = (document: MappedDocument, part: { start: number; length: number }): string =>
  document.text.slice(part.start, part.start + part.length)
const linesOf = (document: MappedDocument, kind: LineKind): string[] =>
  document.lines.filter((line) => line.kind === kind).map((line) => printed(document, line))

const header = ['Test', 'Result', 'Units', 'Reference']
const results = [
  ['Sodium', '139', 'mmol/L', '135 - 145'],
  ['Ferritin', '12', 'ug/L', '30 - 300'],
  ['Urea', '5.0', 'mmol/L', '3.0 - 8.0'],
]
const table = (y: number): Setting[] => rowsAt([50, 200, 260, 350], y, [header, ...results])
const letter = [
  'Dear Dr Nair,',
  'Thank you for seeing Mrs Nora Quill, aged 71, with exertional chest pain over',
  'two months. She has hypertension and type 2 diabetes and stopped smoking in',
  '2010. Her father had a myocardial infarction at 60. On examination today her',
  'blood pressure was 150/90 and the heart sounds were normal. An ECG showed',
  'sinus rhythm with left axis deviation. I have started aspirin 100 mg daily and',
  'metoprolol 25 mg twice daily. She takes metformin 500 mg twice daily and',
  'ramipril 5 mg daily. She has no known allergies. I would be grateful for your',
  'opinion on further investigation.',
]

test('the two sides of a letterhead are read one after the other, with or without colons', (t) => {
  const document = mapped([
    ...block(50, 50, ['BANKS, Mia', '50 Sebastien St', 'Minjary NSW 2720', 'Australia']),
    ...block(380, 50, ['Sex Female', 'Date of Birth 25-Aug-1983', 'IHI 8003 6083 3364 7261']),
    at(50, 130, 'Dear Ms Banks,'),
  ])
  t.match(document.text, /^BANKS, Mia\n50 Sebastien St\nMinjary NSW 2720\nAustralia\nSex Female\nDate of Birth/)
  t.match(document.text, /7261\nDear Ms Banks/)
  t.end()
})

test('a title across the page stands before the blocks below it, in one piece', (t) => {
  const document = mapped([
    at(40, 50, 'MERIDIAN REFERENCE LABORATORIES', { size: 14 }),
    at(470, 48, 'FINAL REPORT'),
    ...block(40, 80, ['PATIENT', 'QUILL, NORA', 'DOB: 11/02/1950', 'ID: 77']),
    ...block(200, 80, ['SPECIMEN', 'Collected: 03/14/2022', 'Fasting: YES']),
    ...block(400, 80, ['ORDERED BY', 'OSEI, TOM MD', 'Phone: 555-320-1432']),
    ...table(160),
  ])
  t.match(document.text, /^MERIDIAN REFERENCE LABORATORIES\tFINAL REPORT\nPATIENT\nQUILL/)
  t.match(document.text, /ID: 77\nSPECIMEN\nCollected.*\nFasting: YES\nORDERED BY/)
  t.end()
})

test('labels with their values in two columns are read row by row, each pair on its line', (t) => {
  const document = mapped([
    ...rowsAt([50, 120, 330, 420], 60, [
      ['Name', 'Nora Quill', 'Collected', '14/03/2022'],
      ['DOB', '02/11/1950', 'Received', '14/03/2022'],
      ['Address', '4 Hill Road', 'Reported', '15/03/2022'],
      ['', 'Cottesloe WA 6011', 'Doctor', 'Dr Osei'],
    ]),
    ...table(140),
  ])
  t.match(document.text, /^Name\tNora Quill\nCollected\t14\/03\/2022\nDOB\t02\/11\/1950\nReceived/)
  t.match(document.text, /Address\t4 Hill Road\nCottesloe WA 6011\nReported\t15/)
  t.equal(document.documentClass, 'lab_report')
  t.end()
})

test('a margin beside a letter does not get between its lines', (t) => {
  const hours = ['Opening hours', 'Mon 8-6', 'Tue 8-6', 'Wed 8-6', 'Thu 8-6', 'Fri 8-5', 'Sat 9-1', 'Doctors']
  const document = mapped([...block(40, 60, hours, 14), ...block(180, 60, letter)])
  t.match(document.text, letter.join('\n'))
  t.end()
})

test('boxes to tick are items of a list, whichever columns they were set in', (t) => {
  const document = mapped([
    at(50, 60, 'Medical history', { isBold: true }),
    ...rowsAt([50, 230, 400], 80, [
      ['☐ Asthma', '☒ Diabetes', '[ ] Epilepsy'],
      ['[x] Hypertension', '☐ Stroke', '☑ Cancer'],
    ]),
  ])
  t.same(linesOf(document, 'list_item'), [
    '☐ Asthma',
    '☒ Diabetes',
    '[ ] Epilepsy',
    '[x] Hypertension',
    '☐ Stroke',
    '☑ Cancer',
  ])
  t.end()
})

test('headings are known by capitals, size, weight, a colon or their words', (t) => {
  const document = mapped([
    at(50, 60, 'CURRENT MEDICATIONS'),
    at(50, 75, 'metformin 500 mg twice daily'),
    at(50, 100, 'Allergies', { size: 14 }),
    at(50, 118, 'penicillin'),
    at(50, 140, 'Family History:'),
    at(50, 155, 'Father had a stroke.'),
    at(50, 180, 'Impression', { isBold: true }),
    at(50, 195, 'Stable.'),
    at(50, 220, 'Past medical history'),
    at(50, 235, 'Appendicectomy 1990'),
  ])
  t.same(
    document.sections.map(({ slug }) => slug).filter((slug) => slug !== null),
    ['medications', 'allergies', 'family-history', 'assessment', 'past-medical-history'],
  )
  t.end()
})

const framed = (number: number, body: readonly Setting[]): Setting[] => [
  at(50, 30, 'Harbour Pathology'),
  at(400, 30, 'Quill, Nora DOB 02/11/1950'),
  ...body,
  at(50, 820, 'Lab No 22-12345 printed 15/03/2022 10:11'),
  at(500, 820, `Page ${number} of 3`),
]

test('what pages repeat is furniture, but no row of results, even at the same place of each page', (t) => {
  const again = results.map(([name, value, unit, range]) => [`${name}`, `${value}1`, `${unit}`, `${range}`])
  const document = mapped(
    framed(1, [at(50, 55, 'LIPIDS', { isBold: true }), ...table(75)]),
    framed(2, rowsAt([50, 200, 260, 350], 75, [header, ...again])),
    framed(3, [...table(75), at(50, 200, 'End of report')]),
  )
  t.equal(linesOf(document, 'table_row').length, 9)
  t.equal(linesOf(document, 'table_header').length, 3)
  const furniture = linesOf(document, 'furniture')
  t.equal(furniture.filter((line) => line.startsWith('Harbour')).length, 2, 'from its second time on')
  t.equal(furniture.filter((line) => line.startsWith('Lab No')).length, 3)
  t.end()
})

test('a heading that each page of a form repeats heads its section on each page', (t) => {
  const document = mapped(
    framed(1, [
      at(50, 60, 'Current medications', { isBold: true }),
      at(50, 80, 'ramipril 5 mg daily'),
      ...block(50, 300, letter),
    ]),
    framed(2, [at(50, 60, 'Current medications', { isBold: true }), at(50, 80, 'metformin 500 mg daily')]),
  )
  const line = document.lines.find((each) => printed(document, each).startsWith('metformin'))
  t.equal(document.sections[line?.section ?? 0]?.slug, 'medications')
  t.equal(linesOf(document, 'heading').filter((heading) => heading === 'Current medications').length, 2)
  t.end()
})

test('text turned up the margin and a stamp through the page tie no rows together', (t) => {
  const turned = (text: string, [left, top, right, bottom]: readonly [number, number, number, number]) => ({
    text,
    confidence01: 0.9,
    box: [left, top, right, bottom] as const,
    line: 90,
    block: 9,
  })
  const page = typeset(table(60))
  const words = [
    ...page.words,
    turned('LABORATORY', [0.02, 0.05, 0.035, 0.14]),
    turned('COPY', [0.1, 0.06, 0.6, 0.13]),
    turned('CONFIDENTIAL', [0.95, 0.06, 0.965, 0.16]),
  ]
  const document = mapPages([{ ...page, words }])
  t.same(linesOf(document, 'table_row'), linesOf(mapped(table(60)), 'table_row'))
  t.match(document.text, /\nLABORATORY\nCOPY\nCONFIDENTIAL$/)
  t.end()
})

test('a table that goes on without its heading on the next page keeps its rows', (t) => {
  const document = mapped(
    framed(1, table(700)),
    framed(
      2,
      rowsAt([50, 200, 260, 350], 60, [
        ['Chloride', '100', 'mmol/L', '95 - 110'],
        ['Glucose', '5.0', 'mmol/L', '3.9 - 6.0'],
      ]),
    ),
  )
  t.same(linesOf(document, 'table_row').slice(3), [
    'Chloride\t100\tmmol/L\t95 - 110',
    'Glucose\t5.0\tmmol/L\t3.9 - 6.0',
  ])
  t.end()
})

test('the class comes from titles, from what heads the tables, and from several words together', (t) => {
  t.equal(mapped(table(60)).documentClass, 'lab_report')
  t.equal(mapped(block(60, 60, letter)).documentClass, 'referral_letter')
  const vaccines = [
    ['Vaccine', 'Date', 'Batch'],
    ['MMR', '15/01/2002', 'A12'],
    ['Polio', '10/05/2005', 'B34'],
  ]
  t.equal(mapped(rowsAt([50, 200, 300], 60, vaccines)).documentClass, 'immunization_record')
  for (const word of ['pathology', 'specimen', 'discharged', 'repeats', 'vaccine', 'contrast', 'microscopic']) {
    t.equal(
      mapped(block(60, 60, [`The word ${word} alone says nothing of the letter.`])).documentClass,
      'unknown',
      word,
    )
  }
  const histology = ['Skin, left forearm', 'Macroscopic', 'A tan fragment.', 'Microscopic', 'Basal cell carcinoma.']
  t.equal(mapped(block(60, 60, ['Harbour Pathology', ...histology])).documentClass, 'pathology_report')
  t.end()
})
