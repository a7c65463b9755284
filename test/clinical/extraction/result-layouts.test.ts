import { test } from 'tap'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { mapText } from '../../support/map-text.ts'
import { printDocument } from './print-document.ts'

type Options = Parameters<typeof printDocument>[1]
const measured = ['lab_result', 'vital_sign']
const row = ({ text, value, unit, date }: FoundFact) => [text, value, unit ?? '', date?.iso ?? ''].join(' | ')
const factsOf = (source: string, options: Options = {}) => findFacts(printDocument(source, options)).facts
const readings = (source: string, options: Options = {}) =>
  factsOf(source, options)
    .filter(({ type }) => measured.includes(type))
    .map(row)

void test('a diary gives each row its day and each column its observation', async (t) => {
  t.strictSame(
    readings(`Target below 135/85
Date\tAM reading\tAM pulse\tBP\tWeight (kg)\tNext visit
13/05/2024\t148/92\t76\t141/88\t81.5\t20/05/2024
15/05/2024\t151/94\t80\t137/86\t\t`),
    [
      'AM reading | 148/92 |  | 2024-05-13',
      'AM reading | 151/94 |  | 2024-05-15',
      'AM pulse | 76 |  | 2024-05-13',
      'AM pulse | 80 |  | 2024-05-15',
      'BP | 141/88 |  | 2024-05-13',
      'BP | 137/86 |  | 2024-05-15',
      'Weight | 81.5 | kg | 2024-05-13',
    ],
  )
})

void test('one column of results beside doses and remarks is enough for a flow sheet', async (t) => {
  const sheet = `Goal INR 2.5-3.5
Date\tINR\tWeekly dose (mg)\tMon\tTue\tComments\tNext INR
01/08/2024\t2.1\t32.5\t5\t5\tmissed one\t22/08/2024
22/08/2024\t4.6\t35\t0\t5\thold\t29/08/2024`
  t.strictSame(readings(sheet), ['INR | 2.1 |  | 2024-08-01', 'INR | 4.6 |  | 2024-08-22'])
})

void test('days over columns date what stands under them, and the target is nobody’s result', async (t) => {
  const bloods = `Monthly bloods
                  05/01/2024   02/02/2024   Target
Haemoglobin g/L   104          109          100-115
Ferritin ug/L     512          480          200-500`
  t.strictSame(
    findFacts(mapText(bloods))
      .facts.filter(({ type }) => measured.includes(type))
      .map(row),
    [
      'Haemoglobin | 104 | g/L | 2024-01-05',
      'Haemoglobin | 109 | g/L | 2024-02-02',
      'Ferritin | 512 | ug/L | 2024-01-05',
      'Ferritin | 480 | ug/L | 2024-02-02',
    ],
  )
})

void test('where headings no longer stand over their columns nothing is read, rather than under another name', async (t) => {
  t.strictSame(readings('Date BP\tPulse\tTemp\n23/09/2024\t126/64\t78'), [])
})

void test('what is predicted, in percent of it or wanted is not what was measured', async (t) => {
  const spirometry = `Test date: 25/08/2023
Spirometry\tUnits\tPred\tLLN\tPre\t%Pred\tPost\t%Chg
FVC\tL\t4.62\t3.60\t3.71\t80\t3.88\t5
FEV1\tL\t3.55\t2.71\t1.98\t56\t2.11\t7`
  t.strictSame(readings(spirometry), ['FVC | 3.71 | L | 2023-08-25', 'FEV1 | 1.98 | L | 2023-08-25'])
  const plan = `Date prepared: 20/06/2024
Need\tCurrent status\tGoals / target\tTreatment
Diabetes\tHbA1c 7.8% (03/06/2024)\tHbA1c 7.0%\tInsulin if HbA1c > 8%
Weight\tWt 81.5 kg, BMI 31.0\tBMI < 27\tDietitian`
  t.strictSame(readings(plan).toSorted(), [
    'BMI | 31.0 |  | 2024-06-20',
    'HbA1c | 7.8 | % | 2024-06-03',
    'Wt | 81.5 | kg | 2024-06-20',
  ])
  t.strictSame(
    readings('Her HbA1c on 12 July 2024 was 9.1% (target < 7%). We are aiming for BP < 130/80 and a weight of 85 kg.'),
    ['HbA1c | 9.1 | % | 2024-07-12'],
  )
})

void test('a card gives the value below its name, whatever stands beside it', async (t) => {
  const portal = `Collected on 14/03/2024
TSH
Normal range: 0.45 - 4.50 mIU/L
6.82 High
mIU/L
Pulse\tLatex - contact rash
72
Blood Pressure
146/88
eGFR
Your value: >60 mL/min/1.73m2`
  t.strictSame(readings(portal), [
    'TSH | 6.82 | mIU/L | 2024-03-14',
    'Pulse | 72 |  | 2024-03-14',
    'Blood Pressure | 146/88 |  | 2024-03-14',
    'eGFR | >60 | mL/min/1.73m2 | 2024-03-14',
  ])
  t.strictSame(readings('INR\n2.1\n2.9\n4.6'), [], 'a column whose days are not known is no card')
})

void test('what a laboratory looked for is a result in words and no condition, found or not', async (t) => {
  const panel = `Collected: 19/11/2023
Target\tResult\tTarget\tResult
Campylobacter species\tDETECTED\tGiardia duodenalis\tNot detected
Norovirus\tNot detected\tRotavirus A\tNot detected
Blood group
ABO Group A
Rh(D) Type NEGATIVE
Hepatitis C antibody\tNot detected
Syphilis (RPR)\tNon-reactive`
  const facts = factsOf(panel, { documentClass: 'lab_report' })
  t.strictSame(facts.filter(({ type }) => type === 'lab_result').map(row), [
    'Campylobacter species | DETECTED |  | 2023-11-19',
    'Giardia duodenalis | Not detected |  | 2023-11-19',
    'Norovirus | Not detected |  | 2023-11-19',
    'Rotavirus A | Not detected |  | 2023-11-19',
    'ABO Group | A |  | 2023-11-19',
    'Rh(D) Type | NEGATIVE |  | 2023-11-19',
    'Hepatitis C antibody | Not detected |  | 2023-11-19',
    'Syphilis (RPR) | Non-reactive |  | 2023-11-19',
  ])
  t.notOk(facts.some(({ type }) => type === 'condition'))
})

void test('signs and complaints that are answered in words stay what they are', async (t) => {
  const note = `Murphy's sign: negative
Chest pain\tnegative
Straight leg raise\tpositive`
  t.strictSame(readings(note), [])
})

void test('the pads of a urine stick are read one by one', async (t) => {
  t.strictSame(readings('Date: 03/09/2024\nUA: trace blood, LE neg, nitrites positive, protein ++, pH 6.0'), [
    'blood | trace |  | 2024-09-03',
    'LE | neg |  | 2024-09-03',
    'nitrites | positive |  | 2024-09-03',
    'protein | ++ |  | 2024-09-03',
    'pH | 6.0 |  | 2024-09-03',
  ])
})

void test('tests that no dictionary knows count in a report, by unit or by grade', async (t) => {
  const synoptic = `Collected: 22/04/2024
SYNOPTIC REPORT
Breslow thickness\t0.7 mm
Clark level\tIII
Gleason score\t3+4=7
Pathological stage\tpT1a
Ulceration\tAbsent`
  const facts = factsOf(synoptic, { documentClass: 'pathology_report' })
  t.strictSame(facts.filter(({ type }) => type === 'lab_result').map(row), [
    'Breslow thickness | 0.7 | mm | 2024-04-22',
    'Clark level | III |  | 2024-04-22',
    'Gleason score | 3+4=7 |  | 2024-04-22',
    'Pathological stage | pT1a |  | 2024-04-22',
  ])
  t.ok(facts.every(({ type, concept }) => type !== 'lab_result' || concept === null))
})

void test('right and left are two readings, and the unit may stand in the name', async (t) => {
  const eyes = factsOf(`Date of visit: 27/02/2024
Test\tRight\tLeft
VA unaided\t6/12\t6/9
IOP (mmHg)\t15\t15`)
  t.strictSame(
    eyes.filter(({ type }) => type === 'lab_result').map((fact) => `${row(fact)} ${fact.detail.laterality ?? ''}`),
    [
      'VA unaided | 6/12 |  | 2024-02-27 right',
      'VA unaided | 6/9 |  | 2024-02-27 left',
      'IOP | 15 | mmHg | 2024-02-27 right',
      'IOP | 15 | mmHg | 2024-02-27 left',
    ],
  )
})

void test('a sign belongs to its number', async (t) => {
  const scan = `Exam date: 25/04/2024
Region\tBMD (g/cm2)\tT-score
L1-L4\t0.842\t-2.1`
  t.strictSame(readings(scan), ['BMD | 0.842 | g/cm2 | 2024-04-25', 'T-score | -2.1 |  | 2024-04-25'])
})

void test('a unit that is printed once holds for the list before it, of one kind of test', async (t) => {
  t.strictSame(readings('Date: 30/07/2024\nTotal cholesterol 5.9, HDL 1.0 and LDL 3.8 mmol/L. Hb 92, CRP 188 mg/L.'), [
    'Total cholesterol | 5.9 | mmol/L | 2024-07-30',
    'HDL | 1.0 | mmol/L | 2024-07-30',
    'LDL | 3.8 | mmol/L | 2024-07-30',
    'Hb | 92 |  | 2024-07-30',
    'CRP | 188 | mg/L | 2024-07-30',
  ])
})

void test('a day without a year is the nearest past one of the letter', async (t) => {
  const letter = (day: string) => readings(`10 January 2024\nBloods from your practice on ${day}: LDL 3.4 mmol/L.`)
  t.strictSame(letter('5 January'), ['LDL | 3.4 | mmol/L | 2024-01-05'])
  t.strictSame(letter('August 5'), ['LDL | 3.4 | mmol/L | 2023-08-05'])
})

void test('since when a problem is there is not when its result was taken', async (t) => {
  t.strictSame(readings('Diabetes (2011)\tACR 4.1 mg/mmol (03/06/2024)\tgood'), ['ACR | 4.1 | mg/mmol | 2024-06-03'])
})

void test('a test of an allergen with result and range is no allergy', async (t) => {
  const facts = factsOf(`Collected: 30/01/2024
Allergen\tResult\tUnits\tReference
Cat dander IgE\t<0.10\tkUA/L\t<0.35`)
  t.strictSame(facts.filter(({ type }) => measured.includes(type)).map(row), [
    'Cat dander IgE | <0.10 | kUA/L | 2024-01-30',
  ])
  t.notOk(facts.some(({ type }) => type === 'allergy'))
})
