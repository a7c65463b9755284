import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const types = new Set(['condition', 'symptom', 'physical_finding', 'family_history'])
const row = ({ text, status, date }: FoundFact) => [text, status, date?.iso ?? ''].join(' | ')
const familyOnly = (source: string) =>
  findFacts(printDocument(source)).facts.every((fact) => fact.type === 'family_history')
const conditions = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => types.has(fact.type))
    .map(row)

void test('items of a problem list stay whole, with their onset', async (t) => {
  t.strictSame(
    conditions(
      'Active problems\n1. Type 2 diabetes mellitus (2011)\n2. Chronic kidney disease stage 3a - since March 2018\n3. Osteoarthritis of the left knee',
    ),
    [
      'Type 2 diabetes mellitus | present | 2011',
      'Chronic kidney disease stage 3a | present | 2018-03',
      'Osteoarthritis of the left knee | present | ',
    ],
  )
})

void test('past history is past unless the condition lasts', async (t) => {
  t.strictSame(
    conditions('Past medical history\nPneumonia (2015)\nHypertension\nFractured wrist 1998'),
    ['Pneumonia | historical | 2015', 'Hypertension | present | ', 'Fractured wrist | historical | '].map((line) =>
      line.startsWith('Fractured') ? 'Fractured wrist | historical | 1998' : line,
    ),
  )
  t.strictSame(conditions('Resolved problems\nGestational diabetes (2009)'), [
    'Gestational diabetes | historical | 2009',
  ])
})

void test('denials reach over the whole list and end at a new finding', async (t) => {
  t.strictSame(conditions('He denies chest pain, palpitations or syncope, but has peripheral oedema.'), [
    'chest pain | negated | ',
    'palpitations | negated | ',
    'syncope | negated | ',
    'peripheral oedema | present | ',
  ])
  t.strictSame(conditions('No evidence of pneumonia. There is a small pleural effusion.'), [
    'pneumonia | negated | ',
    'small pleural effusion | present | ',
  ])
  t.strictSame(conditions('Pulmonary embolism was ruled out.'), ['Pulmonary embolism | negated | '])
})

void test('what a relative has is never the patient’s', async (t) => {
  t.strictSame(conditions('Her mother had breast cancer and her father has type 2 diabetes.'), [
    'breast cancer | family | ',
    'type 2 diabetes | family | ',
  ])
  t.strictSame(conditions('Family history\nBowel cancer in a paternal uncle'), ['Bowel cancer | family | '])
  t.strictSame(conditions('There is no family history of glaucoma.'), ['glaucoma | negated | '])
  t.ok(familyOnly('There is no family history of glaucoma.'))
  t.strictSame(conditions('His wife has influenza.'), [])
})

void test('feared, possible and planned are not present', async (t) => {
  t.strictSame(conditions('Possible early cataract.'), ['early cataract | uncertain | '])
  t.strictSame(conditions('?pneumonia'), ['pneumonia | uncertain | '])
  t.notOk(conditions('Return if you develop chest pain or fever.').some((line) => line.includes('present')))
  t.notOk(conditions('Started on aspirin to reduce the risk of stroke.').some((line) => line.includes('present')))
  t.notOk(conditions('Screening for bowel cancer discussed.').some((line) => line.includes('present')))
})

void test('names of services are not findings', async (t) => {
  t.strictSame(conditions('Referred to the Diabetes Centre and the Stroke Unit.'), [])
  t.strictSame(conditions('Unit: Heart Failure Service'), [])
})

void test('onset said in the sentence is kept, other dates are not', async (t) => {
  t.strictSame(conditions('He has gout, first diagnosed in 2014.'), ['gout | present | 2014'])
  t.strictSame(conditions('She has asthma. Reviewed on 03/04/2021.'), ['asthma | present | '])
})

void test('what a medicine is for, a vaccine is against or a laboratory advises is no diagnosis', async (t) => {
  t.strictSame(conditions('Amlodipine 5 mg daily for hypertension', { documentClass: 'prescription' }), [])
  t.strictSame(conditions('Protects against measles, mumps and rubella', { documentClass: 'immunization_record' }), [])
  t.strictSame(
    conditions('Comment: values above 48 mmol/mol are consistent with diabetes.', { documentClass: 'lab_report' }),
    [],
  )
  t.strictSame(conditions('HbA1c target for most adults with diabetes is 7 %.'), [])
})
