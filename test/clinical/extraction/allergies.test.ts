import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, status, detail }: FoundFact) => [text, detail.reaction ?? '', status].join(' | ')
const allergies = (source: string) =>
  findFacts(printDocument(source))
    .facts.filter((fact) => fact.type === 'allergy')
    .map(row)

void test('substance and reaction in the usual forms', async (t) => {
  t.strictSame(allergies('Allergies: Penicillin (rash), codeine - nausea; latex'), [
    'Penicillin | rash | present',
    'codeine | nausea | present',
    'latex |  | present',
  ])
  t.strictSame(
    allergies(
      'Allergies and adverse reactions\nSulfonamides: Stevens-Johnson syndrome\nPeanuts\nKind regards,\nDr Ann Lee',
    ),
    ['Sulfonamides | Stevens-Johnson syndrome | present', 'Peanuts |  | present'],
  )
  t.strictSame(allergies('Allergies\nSubstance\tReaction\tSeverity\nAmoxicillin\turticaria\tmoderate'), [
    'Amoxicillin | urticaria | present',
  ])
})

void test('that there are none is a denial, not an empty list', async (t) => {
  for (const [source, printed] of [
    ['NKDA.', 'NKDA'],
    ['Allergies: Nil known', 'Nil known'],
    ['ALLERGIES\nNo known drug allergies.', 'No known drug allergies'],
    ['He has no known allergies and takes nothing.', 'no known allergies'],
    ['Allergies: None', 'None'],
  ] as const) {
    t.strictSame(allergies(source), [`${printed} |  | negated`], source)
  }
})

void test('allergies said in sentences', async (t) => {
  t.strictSame(allergies('She is allergic to shellfish and bee venom.'), [
    'shellfish |  | present',
    'bee venom |  | present',
  ])
  t.strictSame(allergies('Penicillin allergy noted.'), ['Penicillin |  | present'])
  t.strictSame(allergies('He is not allergic to penicillin.'), ['penicillin |  | negated'])
  t.strictSame(allergies('His mother is allergic to penicillin.'), [])
})

void test('an unfilled section says nothing', async (t) => {
  t.strictSame(allergies('Allergies: not recorded'), [])
  t.strictSame(allergies('Allergies: None listed'), [])
})

void test('a list of allergies ends where something else begins, heading or not', async (t) => {
  for (const line of [
    'Falls risk HIGH. Not diabetic. Advance care directive: not for CPR.',
    'Blood group A positive',
    'Haemoglobin 132 g/L',
    'Influenza vaccine 12/04/2024',
    'Hypertension',
    'Appendicectomy 1987',
    'Weight 72 kg',
  ]) {
    t.strictSame(allergies(`ALLERGIES: Keflex - anaphylaxis\n${line}`), ['Keflex | anaphylaxis | present'], line)
  }
  t.strictSame(allergies('ALLERGIES\nPenicillin - rash\nZorbidol'), [
    'Penicillin | rash | present',
    'Zorbidol |  | present',
  ])
})
