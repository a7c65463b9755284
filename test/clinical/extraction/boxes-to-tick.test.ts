import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const found = (source: string) =>
  findFacts(printDocument(source))
    .facts.filter(({ type }) => ['condition', 'symptom', 'medication', 'allergy'].includes(type))
    .map(({ text, status }) => `${text} ${status}`)

void test('a form says what is ticked, and nothing of the rest', (t) => {
  t.strictSame(found('Medical history\n☐ Asthma\n☒ Hypertension\n☐ Epilepsy'), ['Hypertension present'])
  t.strictSame(found('Medical history\n[ ] Asthma\n[x] Hypertension\n[ ] Epilepsy'), ['Hypertension present'])
  t.strictSame(found('Medical history\n☑ Hypertension ☐ Asthma'), ['Hypertension present'])
  t.strictSame(found('Medical history\nAsthma ☐\nHypertension ☑'), ['Hypertension present'])
  t.strictSame(found('Medical history\n□ Asthma\n■ Hypertension'), ['Hypertension present'])
  t.end()
})

void test('a bullet that looks like an open box is a bullet', (t) => {
  t.strictSame(found('Medical history\n□ Asthma\n□ Hypertension'), ['Asthma present', 'Hypertension present'])
  t.end()
})
