import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, value, unit, date }: FoundFact) => [text, value, unit ?? '', date?.iso ?? ''].join(' | ')
const vitals = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options)).facts.filter((fact) => fact.type === 'vital_sign')

void test('blood pressure is one fact with its two parts', async (t) => {
  const [pressure] = vitals('Visit date: 12/01/2022\nExamination\nBP 142/88 mmHg sitting.')
  t.equal(pressure && row(pressure), 'BP | 142/88 | mmHg | 2022-01-12')
  t.strictSame(pressure?.detail.components, [
    { name: 'systolic', value: '142' },
    { name: 'diastolic', value: '88' },
  ])
})

void test('a line of observations is read one by one', async (t) => {
  const found = vitals(
    'Date of visit: 12/01/2022\nVital signs\nT 37.9 HR 104 RR 22 SpO2 94% RA BP 98/61 Wt 71.5 kg Ht 168 cm BMI 25.3 kg/m2',
  )
  t.strictSame(found.map(row), [
    'T | 37.9 |  | 2022-01-12',
    'HR | 104 |  | 2022-01-12',
    'RR | 22 |  | 2022-01-12',
    'SpO2 | 94 | % | 2022-01-12',
    'BP | 98/61 |  | 2022-01-12',
    'Wt | 71.5 | kg | 2022-01-12',
    'Ht | 168 | cm | 2022-01-12',
    'BMI | 25.3 | kg/m2 | 2022-01-12',
  ])
})

void test('vital signs in words and American units', async (t) => {
  const found = vitals(
    'Her blood pressure was 118/76, pulse is 72 beats per minute, temperature 98.9 degrees F, weight 154 lb and oxygen saturation 97% on room air.',
    { locale: 'en-US' },
  )
  t.strictSame(found.map(row), [
    'blood pressure | 118/76 |  | ',
    'pulse | 72 | beats per minute | ',
    'temperature | 98.9 | degrees F | ',
    'weight | 154 | lb | ',
    'oxygen saturation | 97 | % | ',
  ])
})

void test('a flow sheet has one row a day', async (t) => {
  const found = vitals(
    'Observations\nDate\tBP\tPulse\tWeight (kg)\n03/04/2022\t131/79\t66\t80.1\n10/04/2022\t127/74\t70\t79.4',
  )
  t.strictSame(found.map(row), [
    'BP | 131/79 |  | 2022-04-03',
    'BP | 127/74 |  | 2022-04-10',
    'Pulse | 66 |  | 2022-04-03',
    'Pulse | 70 |  | 2022-04-10',
    'Weight | 80.1 | kg | 2022-04-03',
    'Weight | 79.4 | kg | 2022-04-10',
  ])
})

void test('what cannot be a measurement of the patient is left out', async (t) => {
  t.strictSame(vitals('Target BP <130/80. Call if BP is over 180/110.').map(row), [])
  t.strictSame(vitals('He has lost weight 3 times since 2019.').map(row), [])
  t.strictSame(vitals('Seen at 10/12 Station Road, phone 5550 1234.').map(row), [])
})
