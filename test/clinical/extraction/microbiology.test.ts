import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const facts = (source: string) => findFacts(printDocument(source)).facts
const cultures = (source: string) =>
  facts(source)
    .filter((fact) => fact.type === 'lab_result')
    .map(({ text, value }) => `${text} = ${value ?? ''}`)
const given = (source: string) =>
  facts(source)
    .filter((fact) => fact.type === 'allergy' || fact.type === 'medication')
    .map(({ type, text }) => `${type} ${text}`)

const grown: readonly (readonly [string, readonly string[]])[] = [
  [
    'Urine culture: E. coli >10^5 CFU/mL; sensitive to trimethoprim, resistant to amoxicillin',
    ['Urine culture = E. coli >10^5 CFU/mL'],
  ],
  [
    'Wound swab culture grew heavy growth of Staphylococcus aureus.',
    ['Wound swab culture = heavy growth of Staphylococcus aureus'],
  ],
  ['Blood cultures x2: no growth at 48 hours', ['Blood cultures = no growth at 48 hours']],
  ['Blood cultures were negative.', ['Blood cultures = negative']],
  ['MSU: mixed growth', ['MSU = mixed growth']],
  ['Culture\n>10^8 CFU/L Escherichia coli', ['Culture = >10^8 CFU/L Escherichia coli']],
  ['Urine Culture, Routine\nOrganism: Escherichia coli', ['Urine Culture, Routine = Escherichia coli']],
  ['Urine culture pending.', []],
  ['If urine culture grows E. coli change to cefalexin.', []],
]

void test('what grew is a result in words', async (t) => {
  for (const [said, expected] of grown) t.strictSame(cultures(said), expected, said)
})

const germs = [
  'Urine culture: E. coli >10^5 CFU/mL; sensitive to trimethoprim, resistant to amoxicillin',
  'Culture: Klebsiella pneumoniae\nSensitive to: cefalexin, gentamicin\nResistant to: amoxicillin, ampicillin',
  'Culture\nHeavy growth of Staphylococcus aureus\nSensitivities\nFlucloxacillin\tS\nPenicillin\tR\nErythromycin\tS',
  'Urine culture\nOrganism: Escherichia coli\nAntimicrobial susceptibility\nAmpicillin\tR\t>=32\nCefazolin\tS\t<=4\nCiprofloxacin\tS\t<=0.25',
  'The E. coli isolated was resistant to penicillin and sensitive to nitrofurantoin.',
]

void test('what a germ is sensitive to is nothing that the patient takes or cannot bear', async (t) => {
  for (const said of germs) t.strictSame(given(said), [], said)
})

void test('the allergies of the patient and the treatment stay', async (t) => {
  t.strictSame(given('Allergies\nPenicillin - rash'), ['allergy Penicillin'])
  t.strictSame(given('Sensitivities\nPenicillin - rash'), ['allergy Penicillin'])
  t.strictSame(given('Patient is sensitive to codeine.'), ['allergy codeine'])
  t.strictSame(given('Urine culture grew E. coli sensitive to trimethoprim. Started trimethoprim 300 mg daily.'), [
    'medication trimethoprim',
  ])
})
