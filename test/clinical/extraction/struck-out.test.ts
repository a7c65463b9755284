import { test } from 'tap'
import { checkFact } from '../../../clinical/coding/checks.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const clinical = [
  'medication',
  'condition',
  'symptom',
  'allergy',
  'lab_result',
  'vital_sign',
  'immunization',
  'procedure',
]
const found = (source: string) =>
  findFacts(printDocument(source))
    .facts.filter(({ type }) => clinical.includes(type))
    .map(({ type, text, value, status, detail }) =>
      [text, value, status, type === 'medication' ? detail.clinicalStatus : null].filter(Boolean).join(' '),
    )

void test('a medicine that is struck out of a list was stopped, and the others are taken', (t) => {
  t.strictSame(found('Current medications\n~~Warfarin 5 mg daily~~\nMetformin 500 mg twice daily\n~~Ramipril~~'), [
    'Warfarin 5 historical stopped',
    'Metformin 500 present active',
    'Ramipril historical stopped',
  ])
  t.strictSame(found('Medicine\tDose\tFrequency\n~~Warfarin\t5 mg\tdaily~~\nMetformin\t500 mg\tbd'), [
    'Warfarin 5 historical stopped',
    'Metformin 500 present active',
  ])
  t.end()
})

void test('a dose that is struck out is not taken, and the one written beside it is', (t) => {
  t.strictSame(found('Current medications\nMetformin ~~500 mg~~ 1000 mg twice daily'), [
    'Metformin 1000 present active',
  ])
  t.strictSame(found('Current medications\n1. Ramipril 5 mg ~~2.5 mg~~ daily'), ['Ramipril 5 present active'])
  t.strictSame(found('Medicine\tDose\tFrequency\nMetformin\t~~500 mg~~ 1000 mg\tbd\nRamipril\t5 mg\tdaily'), [
    'Metformin 1000 present active',
    'Ramipril 5 present active',
  ])
  t.strictSame(found('Current medications\nMetformin ~~500 mg twice daily~~'), ['Metformin present active'])
  t.end()
})

void test('what is struck out beside something said takes nothing with it and lends it nothing', (t) => {
  t.strictSame(found('Current medications\n~~Warfarin 5 mg daily~~ Apixaban 2.5 mg twice daily'), [
    'Warfarin 5 historical stopped',
    'Apixaban 2.5 present active',
  ])
  t.strictSame(found('Current medications\n~~Warfarin~~ take one tablet daily\nMetformin 500 mg'), [
    'Warfarin historical stopped',
    'Metformin 500 present active',
  ])
  const [metformin] = findFacts(
    printDocument('Current medications\nMetformin 500 mg\n~~Warfarin~~ take one tablet at night'),
  ).facts
  t.match(metformin, { text: 'Metformin' })
  t.equal(metformin?.detail.frequency, undefined, 'the directions were those of the medicine that was stopped')
  t.end()
})

void test('a finding, an allergy or a result that is struck out is not there', (t) => {
  t.strictSame(found('Medical history\n~~Asthma~~\nHypertension'), ['Hypertension present'])
  t.strictSame(found('Allergies\n~~Penicillin - rash~~\nCodeine - nausea'), ['Codeine present'])
  t.strictSame(found('She has ~~asthma and~~ hypertension.'), ['hypertension present'])
  t.strictSame(found('Test\tResult\tUnit\n~~Potassium\t7.2\tmmol/L~~\nSodium\t140\tmmol/L'), ['Sodium 140 present'])
  t.strictSame(found('Potassium ~~7.2~~ 4.2 mmol/L'), ['Potassium 4.2 present'])
  t.end()
})

void test('a cue that is struck out says nothing', (t) => {
  t.strictSame(found('~~No~~ asthma in the past medical history.'), found('asthma in the past medical history.'))
  t.strictSame(found('Current medications\nWarfarin 5 mg daily ~~ceased~~'), ['Warfarin 5 present active'])
  t.end()
})

void test('the same thing said once and struck out once is said', (t) => {
  t.strictSame(found('Current medications\n~~Metformin 500 mg daily~~\nRamipril 5 mg daily\nMetformin 500 mg daily'), [
    'Metformin 500 historical stopped',
    'Ramipril 5 present active',
    'Metformin 500 present active',
  ])
  t.strictSame(found('Medical history\n~~Asthma~~\nHypertension\nAsthma'), ['Hypertension present', 'Asthma present'])
  t.end()
})

void test('a medicine that was only meant or denied and is struck out is not one that was stopped', (t) => {
  t.strictSame(found('Plan: ~~consider starting apixaban 5 mg if the rhythm recurs.~~'), [])
  t.end()
})

void test('a line that is struck out counts as read', (t) => {
  const lines = (source: string) => findFacts(printDocument(source)).unreadLines
  t.strictSame(lines('It rained in the morning.\n~~The bus was late again.~~'), [0])
  t.end()
})

void test('a person is asked to look at a medicine that only a line stopped', (t) => {
  const reasonsOf = (source: string) =>
    findFacts(printDocument(source)).facts.flatMap((fact) =>
      checkFact(fact, { birthDate: null, today: '2026-01-01', file: { contacts: [], lastDay: null } }),
    )
  t.match(reasonsOf('Current medications\n~~Warfarin 5 mg daily~~'), [{ weight: 'check', reason: /struck out/ }])
  t.same(reasonsOf('Current medications\nWarfarin 5 mg daily'), [])
  t.end()
})
