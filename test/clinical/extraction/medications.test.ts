import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, value, unit, status, detail }: FoundFact) =>
  [
    text,
    value ?? '',
    unit ?? '',
    detail.frequency ?? '',
    detail.clinicalStatus === 'active' ? status : detail.clinicalStatus,
  ].join(' | ')
const medicines = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options)).facts.filter((fact) => fact.type === 'medication')

void test('Australian shorthand is read part by part', async (t) => {
  const list = `Current medications
Perindopril arginine 5 mg tab 1 mane
Metformin XR 1 g 2 tabs nocte with food
Pantoprazole 40mg EC i bd ac
Salbutamol 100 mcg MDI 2 puffs prn
Oxycodone/naloxone 10/5 mg bd for 5 days
Prolia 60 mg subcut every 6 months`
  const found = medicines(list)
  t.strictSame(found.map(row), [
    'Perindopril arginine | 5 | mg | mane | present',
    'Metformin XR | 1 | g | nocte with food | present',
    'Pantoprazole | 40 | mg | bd ac | present',
    'Salbutamol | 100 | mcg | prn | present',
    'Oxycodone/naloxone | 10/5 | mg | bd for 5 days | present',
    'Prolia | 60 | mg | every 6 months | present',
  ])
  t.equal(found[3]?.detail.dose, '2 puffs')
  t.equal(found[5]?.detail.route, 'subcut')
})

void test('American directions give dose, route and frequency', async (t) => {
  const list = `DISCHARGE MEDICATIONS:
1. Lisinopril 20 mg tablet, take 1 tablet by mouth once daily
2. Acetaminophen 500 mg PO q6h PRN for pain
3. Insulin glargine 100 units/mL, inject 18 units subcutaneously at bedtime
4. Warfarin 2.5 mg PO daily as directed`
  const found = medicines(list, { locale: 'en-US' })
  t.strictSame(found.map(row), [
    'Lisinopril | 20 | mg | once daily | present',
    'Acetaminophen | 500 | mg | q6h PRN | present',
    'Insulin glargine | 100 | units/mL | at bedtime | present',
    'Warfarin | 2.5 | mg | daily as directed | present',
  ])
  t.equal(found[1]?.detail.indication, 'pain')
  t.equal(found[2]?.detail.dose, '18 units')
  t.equal(found[0]?.detail.frequencyCode, '1/d')
})

void test('a table of medicines with reason and dates', async (t) => {
  const found = medicines(`Medications
Medication\tDose\tFrequency\tReason\tStarted
Rosuvastatin\t10 mg\tnightly\thigh cholesterol\t03/2019
Escitalopram\t20 mg\tin the morning\tanxiety\t11/06/2020`)
  t.strictSame(found.map(row), [
    'Rosuvastatin | 10 | mg | nightly | present',
    'Escitalopram | 20 | mg | in the morning | present',
  ])
  t.strictSame(
    found.map((fact) => [fact.date?.iso, fact.detail.indication]),
    [
      ['2019-03', 'high cholesterol'],
      ['2020-06-11', 'anxiety'],
    ],
  )
})

void test('stopped medicines are stopped, wherever it is said', async (t) => {
  t.strictSame(medicines('Ceased medications\nNaproxen 500 mg bd').map(row), ['Naproxen | 500 | mg | bd | stopped'])
  t.strictSame(medicines('Atenolol was ceased because of bradycardia.').map(row), ['Atenolol |  |  |  | stopped'])
  t.strictSame(medicines('She stopped taking sertraline last year.').map(row), ['sertraline |  |  |  | stopped'])
  t.strictSame(medicines('Medications on discharge\nFrusemide 40 mg mane - CEASED').map(row), [
    'Frusemide | 40 | mg | mane | stopped',
  ])
})

void test('medicines in sentences need somebody who takes them', async (t) => {
  t.strictSame(medicines('He takes aspirin 100 mg daily and atorvastatin 40 mg at night.').map(row), [
    'aspirin | 100 | mg | daily | present',
    'atorvastatin | 40 | mg | at night | present',
  ])
  t.strictSame(medicines('Commenced on apixaban.').map(row), ['apixaban |  |  |  | present'])
  t.strictSame(medicines('We discussed warfarin in general terms.').map(row), [])
  t.strictSame(medicines('Serum digoxin level 0.9 ug/L.').map(row), [])
  t.strictSame(medicines('His wife takes warfarin 5 mg daily.').map(row), [])
})

void test('directions on the line below belong to the medicine above', async (t) => {
  const found = medicines(
    'Date: 04/05/2022\nCefalexin 500 mg capsule (Keflex)\nTake ONE capsule four times a day for 7 days\nQuantity: 20',
    {
      documentClass: 'prescription',
    },
  )
  t.strictSame(found.map(row), ['Cefalexin | 500 | mg | four times a day for 7 days | present'])
  t.equal(found[0]?.detail.dose, 'ONE capsule')
  t.equal(found[0]?.date?.iso, '2022-05-04')
})

void test('allergies and results are not medicines', async (t) => {
  t.strictSame(medicines('Allergies: penicillin (rash), codeine').map(row), [])
  t.strictSame(medicines('Potassium 4.1 mmol/L, sodium 139 mmol/L').map(row), [])
})
