import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, value, unit, referenceRange, date, detail }: FoundFact) =>
  [text, value, unit ?? '', referenceRange ?? '', detail.flag ?? '', date?.iso ?? ''].join(' | ')
const results = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === 'lab_result')
    .map(row)

void test('an Australian report gives each row with value, unit, range, flag and collection date', async (t) => {
  const report = `Harbourside Pathology
Patient: WEBB, Noreen DOB: 04/11/1961
Collected: 03/02/2023 08:15 Reported: 05/02/2023
Test\tResult\tUnits\tReference Interval
Haemoglobin\t108 L\tg/L\t115 - 165
Haematocrit\t0.34 L\tL/L\t0.35 - 0.47
MCV\t78 L\tfL\t80-100
White Cell Count\t6.1\tx10^9/L\t4.0 - 11.0
Neutrophils\t3.90\tx10^9/L\t(2.00 - 7.50)
eGFR\t>90\tmL/min/1.73m²\t>59
HbA1c (IFCC)\t41\tmmol/mol\t<48
INR\t1.1\t\t0.9-1.2`
  t.strictSame(results(report, { documentClass: 'lab_report' }), [
    'Haemoglobin | 108 | g/L | 115 - 165 | L | 2023-02-03',
    'Haematocrit | 0.34 | L/L | 0.35 - 0.47 | L | 2023-02-03',
    'MCV | 78 | fL | 80-100 | L | 2023-02-03',
    'White Cell Count | 6.1 | x10^9/L | 4.0 - 11.0 |  | 2023-02-03',
    'Neutrophils | 3.90 | x10^9/L | 2.00 - 7.50 |  | 2023-02-03',
    'eGFR | >90 | mL/min/1.73m² | >59 |  | 2023-02-03',
    'HbA1c (IFCC) | 41 | mmol/mol | <48 |  | 2023-02-03',
    'INR | 1.1 |  | 0.9-1.2 |  | 2023-02-03',
  ])
})

void test('an American report with the range before the unit reads month first', async (t) => {
  const report = `LAKEVIEW CLINICAL LABS
Date Collected: 03/02/2023
TESTS\tRESULT\tFLAG\tREFERENCE INTERVAL\tUNITS\tLAB
WBC\t12.4\tHigh\t3.4-10.8\tx10E3/uL\t01
Hemoglobin\t13.9\t\t11.1-15.9\tg/dL\t01
Platelets\t245\t\t150-450\tx10E3/uL\t01
Glucose, Serum\t101\tHigh\t65-99\tmg/dL\t01
BUN/Creatinine Ratio\t14\t\t9-23\t\t01`
  t.strictSame(results(report, { locale: 'en-US', documentClass: 'lab_report' }), [
    'WBC | 12.4 | x10E3/uL | 3.4-10.8 | High | 2023-03-02',
    'Hemoglobin | 13.9 | g/dL | 11.1-15.9 |  | 2023-03-02',
    'Platelets | 245 | x10E3/uL | 150-450 |  | 2023-03-02',
    'Glucose, Serum | 101 | mg/dL | 65-99 | High | 2023-03-02',
    'BUN/Creatinine Ratio | 14 |  | 9-23 |  | 2023-03-02',
  ])
})

void test('a cumulative report gives each dated column its own date', async (t) => {
  const report = `Cumulative report
Test\t14/06/2022\t02/09/2022\t21/12/2022\tUnits\tReference
Sodium\t138\t141\t139\tmmol/L\t135-145
Potassium\t4.1\t5.6 H\t4.4\tmmol/L\t3.5-5.2
Creatinine\t\t104 H\t98\tumol/L\t45-90`
  t.strictSame(results(report, { documentClass: 'lab_report' }), [
    'Sodium | 138 | mmol/L | 135-145 |  | 2022-06-14',
    'Sodium | 141 | mmol/L | 135-145 |  | 2022-09-02',
    'Sodium | 139 | mmol/L | 135-145 |  | 2022-12-21',
    'Potassium | 4.1 | mmol/L | 3.5-5.2 |  | 2022-06-14',
    'Potassium | 5.6 | mmol/L | 3.5-5.2 | H | 2022-09-02',
    'Potassium | 4.4 | mmol/L | 3.5-5.2 |  | 2022-12-21',
    'Creatinine | 104 | umol/L | 45-90 | H | 2022-09-02',
    'Creatinine | 98 | umol/L | 45-90 |  | 2022-12-21',
  ])
})

void test('a column of previous results without a date is not taken for the result', async (t) => {
  const report = `Collected: 11/05/2023
Analyte\tResult\tPrevious\tUnits\tRange
Ferritin\t12 L\t31\tug/L\t30-200`
  t.strictSame(results(report), ['Ferritin | 12 | ug/L | 30-200 | L | 2023-05-11'])
})

void test('results in a sentence keep their own value and unit', async (t) => {
  const letter = `28 July 2021
Bloods show Hb 121 g/L, ferritin of 18 ug/L and a TSH of 2.31 mIU/L (0.4-4.0). Her HbA1c was 7.2 %. Creatinine remains stable at 88 umol/L.`
  t.strictSame(results(letter), [
    'Hb | 121 | g/L |  |  | 2021-07-28',
    'ferritin | 18 | ug/L |  |  | 2021-07-28',
    'TSH | 2.31 | mIU/L | 0.4-4.0 |  | 2021-07-28',
    'HbA1c | 7.2 | % |  |  | 2021-07-28',
    'Creatinine | 88 | umol/L |  |  | 2021-07-28',
  ])
})

void test('targets, doses and relatives give no result', async (t) => {
  t.strictSame(results('Aim for an LDL below 1.8 mmol/L and keep INR 2-3.'), [])
  t.strictSame(results('She takes iron 105 mg daily and folic acid 5 mg, magnesium 500 mg at night.'), [])
  t.strictSame(results('His brother had a cholesterol of 9.1 mmol/L.'), [])
  t.strictSame(results('Return if glucose is above 15 mmol/L.'), [])
})

void test('qualitative results of a table are kept as printed', async (t) => {
  const report = `Serology
Test\tResult\tReference
Hepatitis B surface antigen\tNot detected\tNot detected
HIV 1/2 antibody\tNon-reactive\tNon-reactive`
  t.strictSame(
    results(report).map((line) => line.split(' | ').slice(0, 2).join(' = ')),
    ['Hepatitis B surface antigen = Not detected', 'HIV 1/2 antibody = Non-reactive'],
  )
})

void test('rows that lost their columns to the typewriter still read whole', async (t) => {
  const report = `Date collected 07/03/2022
Sodium 139 mmol/L (135-145)
Potassium 3.1 L mmol/L (3.5-5.2)
Alk Phos 77 U/L (30-110)`
  t.strictSame(results(report), [
    'Sodium | 139 | mmol/L | 135-145 |  | 2022-03-07',
    'Potassium | 3.1 | mmol/L | 3.5-5.2 | L | 2022-03-07',
    'Alk Phos | 77 | U/L | 30-110 |  | 2022-03-07',
  ])
})

void test('every span lies on the words that it names', async (t) => {
  const document = printDocument('Collected: 03/02/2023\nTest\tResult\tUnits\tRange\nUrea\t9.8 H\tmmol/L\t3.0-8.0')
  const [urea] = findFacts(document).facts.filter((fact) => fact.type === 'lab_result')
  const printed = urea?.spans.map((span) => `${span.role}=${document.text.slice(span.start, span.start + span.length)}`)
  t.strictSame(printed, ['name=Urea', 'value=9.8', 'unit=mmol/L', 'reference_range=3.0-8.0'])
})

const scanned = { documentClass: 'lab_report', confidence01: 0.95 } as const
const head = 'Collected: 03/02/2023\nTest\tResult\tFlag\tReference range\tUnits\tLab'
const readAs = (printed: string, options: Parameters<typeof printDocument>[1] = scanned) =>
  findFacts(printDocument(`${head}\nSodium\t140\t\t135-146\tmmol/L\t01\n${printed}`, options))
    .facts.filter((fact) => fact.type === 'lab_result' && fact.text !== 'Sodium')
    .map(({ text, value, unit, referenceRange, strength }) => [text, value, unit, referenceRange, strength].join(' | '))

void test('a point that was read as a colon or comma is mended, for a person to compare', async (t) => {
  t.strictSame(readAs('Haemoglobin A1c\t5:3\t\t<5.7\t%\t01'), ['Haemoglobin A1c | 5.3 | % | <5.7 | weak'])
  t.strictSame(readAs('TSH\t1:55\t\t0.40-4.50\tmIU/L\t01'), ['TSH | 1.55 | mIU/L | 0.40-4.50 | weak'])
  t.strictSame(readAs('TSH\t1,55\t\t0.40-4.50\tmIU/L\t01'), ['TSH | 1.55 | mIU/L | 0.40-4.50 | weak'])
  t.strictSame(readAs('INR\t1,1\t\t0.9-1.2\t\t01'), ['INR | 1.1 |  | 0.9-1.2 | weak'])
  t.strictSame(readAs('TSH\t1.55\t\t0.40-4.50\tmIU/L\t01'), ['TSH | 1.55 | mIU/L | 0.40-4.50 | strong'])
})

void test('a comma between thousands is no point', async (t) => {
  t.strictSame(readAs('Ferritin\t1,250\t\t30-300\tug/L\t01'), ['Ferritin | 1,250 | ug/L | 30-300 | strong'])
  t.strictSame(readAs('Ferritin\t1,250\t\t30.0-300.0\tug/L\t01'), ['Ferritin | 1,250 | ug/L | 30.0-300.0 | strong'])
})

void test('a number that cannot be told leaves its row without a number, but with its words', async (t) => {
  for (const misread of ['a3', 'l3', 'SO', '1:3', '1,3']) {
    const document = printDocument(`${head}\nUrea\t${misread}\t\t7-25\tmg/dL\t01`, scanned)
    const [urea] = findFacts(document).facts.filter((fact) => fact.type === 'lab_result')
    t.match(urea, { text: 'Urea', value: null, unit: 'mg/dL', referenceRange: '7-25', strength: 'weak' }, misread)
    const span = urea?.spans.find(({ role }) => role === 'value')
    t.equal(span && document.text.slice(span.start, span.start + span.length), misread)
  }
})

void test('words in a column of results are no misread number', async (t) => {
  for (const word of ['Pending', 'See note', 'TNP', '03/02/2023'])
    t.strictSame(readAs(`Urea\t${word}\t\t7-25\tmg/dL\t01`), [], word)
  t.strictSame(readAs('Urea\ta3\t\t7-25\tmg/dL\t01', { ...scanned, confidence01: 1 }), [], 'printed so')
})

void test('a number of another column never stands in for one that cannot be told', async (t) => {
  t.strictSame(readAs('Urea\ta3\t\t7-25\tmg/dL\t01'), ['Urea |  | mg/dL | 7-25 | weak'])
})

void test('a date column of a cumulative report keeps the reading that cannot be told', async (t) => {
  const report = 'Test\t14/06/2022\t02/09/2022\tUnits\tReference\nPotassium\t4:1\tS.b\tmmol/L\t3.5-5.2'
  t.strictSame(results(report, scanned), [
    'Potassium | 4.1 | mmol/L | 3.5-5.2 |  | 2022-06-14',
    'Potassium |  | mmol/L | 3.5-5.2 |  | 2022-09-02',
  ])
})

void test('a unit that was misread is the one of the test that looks like it; another unit is to be compared', async (t) => {
  const unitsHead = 'Collected: 03/02/2023\nTest\tResult\tUnits\tReference range'
  const unitOf = (printed: string, options: Parameters<typeof printDocument>[1] = scanned) =>
    findFacts(printDocument(`${unitsHead}\nSodium\t140\tmmol/L\t135-146\n${printed}`, options))
      .facts.filter((fact) => fact.type === 'lab_result' && fact.text !== 'Sodium')
      .map(({ text, value, unit, strength }) => [text, value, unit, strength].join(' | '))
  t.strictSame(unitOf('Creatinine\t85\tpmol/L\t45-90'), ['Creatinine | 85 | µmol/L | weak'])
  t.strictSame(unitOf('Free T4\t13.9\tpmol/L\t10.0-20.0'), ['Free T4 | 13.9 | pmol/L | strong'])
  t.strictSame(unitOf('White Cell Count\t6.1\tx10°/L\t4.0-11.0'), ['White Cell Count | 6.1 | x10^9/L | strong'])
  t.strictSame(unitOf('Platelets\t277\tx10%L\t150-400'), ['Platelets | 277 | x10^9/L | strong'])
  t.strictSame(unitOf('Haematocrit\t0.43\tUL\t0.35-0.47'), ['Haematocrit | 0.43 | L/L | weak'])
  t.strictSame(unitOf('ALT\t24\tUL\t5-40'), ['ALT | 24 | U/L | weak'])
  t.strictSame(unitOf('eGFR\t73\tmL/min/1.73m*\t>60'), ['eGFR | 73 | mL/min/1.73m2 | strong'])
  t.strictSame(unitOf('Cortisol\t512\tnmol/L.\t140-640'), ['Cortisol | 512 | nmol/L | strong'])
  // What is printed so, by a file that has its text, stays for the check of units to find.
  const typed = { ...scanned, confidence01: 1 }
  t.strictSame(unitOf('Creatinine\t85\tpmol/L\t45-90', typed), ['Creatinine | 85 | pmol/L | strong'])
})

void test('letters beside a value are no unit where another column has the units', async (t) => {
  t.strictSame(readAs('Platelets\t92 Lt\t\t150-400\tx10^9/L\t01'), ['Platelets | 92 | x10^9/L | 150-400 | strong'])
})

void test('a result stands in range or out of range, each in a column of its own', async (t) => {
  const report = `Collected: 07/23/2023
Test Name\tIn Range\tOut Of Range\tReference Range
GLUCOSE\t73\t\t70-99 mg/dL
BUN\t\t32 H\t6-24 mg/dL
MCV\t\t73 L\t79-97 fL`
  t.strictSame(results(report, { documentClass: 'lab_report', locale: 'en-US' }), [
    'GLUCOSE | 73 | mg/dL | 70-99 |  | 2023-07-23',
    'BUN | 32 | mg/dL | 6-24 | H | 2023-07-23',
    'MCV | 73 | fL | 79-97 | L | 2023-07-23',
  ])
})

void test('without headings a limit is not taken for the value beside it', async (t) => {
  t.strictSame(results('Collected: 03/02/2023\nALT\tU/L\t<41\t22\t33', { documentClass: 'lab_report' }), [])
})

void test('of a range that was read without its dash both ends stand, and a part of an end is no range', async (t) => {
  t.strictSame(readAs('Bilirubin\t0.7\t\t0.0 1.2\tmg/dL\t01'), ['Bilirubin | 0.7 | mg/dL | 0.0-1.2 | strong'])
  t.strictSame(readAs('Free T4\t13.9\t\t10,0 - 20.0\tpmol/L\t01'), ['Free T4 | 13.9 | pmol/L |  | strong'])
})

void test('a day that breaks the order of the columns dates no result', async (t) => {
  const report = (days: string) => `Test\t${days}\tUnits\tReference\nSodium\t141\t139\t140\tmmol/L\t135-145`
  t.strictSame(results(report('25/10/2020\t14/04/2024\t16/03/2022'), scanned), [
    'Sodium | 141 | mmol/L | 135-145 |  | ',
    'Sodium | 139 | mmol/L | 135-145 |  | ',
    'Sodium | 140 | mmol/L | 135-145 |  | ',
  ])
  t.strictSame(results(report('25/10/2020\t14/04/2021\t16/03/2022'), scanned), [
    'Sodium | 141 | mmol/L | 135-145 |  | 2020-10-25',
    'Sodium | 139 | mmol/L | 135-145 |  | 2021-04-14',
    'Sodium | 140 | mmol/L | 135-145 |  | 2022-03-16',
  ])
})

void test('an unsure number on the wrong side of its range for its flag is left out', async (t) => {
  const unsure = { ...scanned, confidence01: 0.55 }
  t.strictSame(readAs('Urate\t0.41\tL\t0.15-0.40\tmmol/L\t01', unsure), ['Urate |  | mmol/L | 0.15-0.40 | weak'])
  t.strictSame(readAs('Urate\t0.11\tL\t0.15-0.40\tmmol/L\t01', unsure), ['Urate | 0.11 | mmol/L | 0.15-0.40 | strong'])
})

void test('a row of a file for many people is dated by its sampling, with its limits from two columns', async (t) => {
  const file = `Name\tDOB\tReported\tCollected\tTest Name\tValue\tUnit\tRef Low\tRef High\tAbnormal
Greta Marlowe\t12/04/1961\t04/02/2023\t03/02/2023\tSodium\t140\tmmol/L\t135\t145\t
Greta Marlowe\t12/04/1961\t04/02/2023\t03/02/2023\tPotassium\t5.6\tmmol/L\t3.5\t5.2\tHigh`
  t.strictSame(results(file), [
    'Sodium | 140 | mmol/L | 135-145 |  | 2023-02-03',
    'Potassium | 5.6 | mmol/L | 3.5-5.2 | High | 2023-02-03',
  ])
})
