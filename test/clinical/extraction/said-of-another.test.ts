/** Somebody who stands beside the patient in a letter keeps what is theirs. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const found = (lines: string) =>
  findFacts(printDocument(lines))
    .facts.filter(({ type, status }) => type !== 'identity' && type !== 'encounter' && status !== 'family')
    .map(({ text }) => text.toLowerCase())

void test('who was introduced by whose they are is somebody else by name, too', (t) => {
  for (const [lines, ...facts] of [
    ['Seen with her partner Jonas. Jonas has epilepsy and takes fluvoxamine.'],
    ['He lives with his son Peter. Peter has asthma.'],
    ['Her carer, Maria, came along. Maria takes warfarin.'],
    ['Seen with her partner Jonas. Jonas has epilepsy, and she has migraine.', 'migraine'],
    ['Seen with her partner Jonas. She has migraine.', 'migraine'],
    ['Patient: Jonas Webb\nSeen with her partner Jonas. Jonas has epilepsy.', 'epilepsy'],
    ['Her husband Asthma was mentioned. Asthma since childhood.', 'asthma'],
  ] as const) {
    const all = found(lines)
    t.strictSame([...new Set(all)], facts, lines)
  }
  t.end()
})

void test('what stands under a label of somebody else is theirs', (t) => {
  for (const [lines, ...facts] of [
    ["Partner's results (for clinic use): ferritin 12 ug/L, haemoglobin 110 g/L."],
    ["Testosterone 7.9 nmol/L\nPartner's results: ferritin 12 ug/L,\nhaemoglobin 110 g/L.", 'testosterone'],
    ['Donor details: hepatitis C, hypertension\nHistory: asthma.', 'asthma'],
    ["Husband's medications: metformin 500 mg twice daily."],
  ] as const) {
    t.strictSame(found(lines), facts, lines)
  }
  t.end()
})

void test('under a heading of somebody else it goes on to the next heading', (t) => {
  const facts = findFacts(
    printDocument([
      { text: "Donor's history", kind: 'heading' },
      'Hypertension.',
      'Type 2 diabetes.',
      { text: 'Past medical history', kind: 'heading' },
      'Asthma.',
    ]),
  ).facts.map(({ text }) => text.toLowerCase())
  t.strictSame(facts, ['asthma'])
  t.end()
})
