/** Past, denied, feared, or said of somebody else: how letters word it. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const types = new Set(['condition', 'symptom', 'family_history'])
const statements = (line: string) =>
  findFacts(printDocument(line))
    .facts.filter((fact) => types.has(fact.type))
    .map(({ type, text, status, detail }) =>
      [type === 'family_history' ? 'family:' : '', text.toLowerCase(), status, detail.relationship, detail.onsetAge]
        .filter((part) => part !== undefined && part !== '')
        .join(' | '),
    )

type Row = readonly [line: string, ...facts: string[]]

const check = (name: string, rows: readonly Row[]) =>
  test(name, (t) => {
    for (const [line, ...facts] of rows) t.strictSame(statements(line), facts, line)
    t.end()
  })

void check('what other people have is not the patient’s', [
  ['His boss has tuberculosis.'],
  ['A colleague tested positive for pneumonia.'],
  ['The neighbour’s child has measles.'],
  ['She works with patients who have hepatitis C.'],
  ['She cares for her mother-in-law who has dementia.'],
  ['He lives with his wife, who has Parkinson’s disease.'],
  ['His ex-wife had breast cancer.'],
  ['His wife has offered a kidney; she has hypertension.'],
  ['His wife is unwell. She has dementia.'],
  ['There has been a gastroenteritis outbreak at school.'],
])

void check('a pronoun means the patient where it fits the patient', [
  ['Her mother lives nearby. She has asthma.', 'asthma | present'],
  ['His father was a miner. He has asthma.', 'asthma | present'],
  ['His mother is well. She has asthma.', 'family: | asthma | family'],
])

void check('who comes along or tells has nothing', [
  ['BIB mother with fever.', 'fever | present'],
  ['He was seen with his wife because of back pain.', 'back pain | present'],
  ['His wife noticed jaundice.', 'jaundice | present'],
])

void check('what is over is past', [
  ['He recovered fully from his pneumonia.', 'pneumonia | historical'],
  ['Two years ago she was hospitalised for pyelonephritis.', 'pyelonephritis | historical'],
  ['Lymphoma, in remission since 2015.', 'lymphoma | historical'],
  ['She suffered a pulmonary embolus after her first pregnancy.', 'pulmonary embolus | historical'],
  ['The ECG shows an old MI.', 'old mi | historical'],
  ['He has past hepatitis B infection.', 'hepatitis b infection | historical'],
  ['Past medical history\nPrevious TIA', 'tia | historical'],
  ['Diagnoses\nh/o DVT (2010)', 'dvt | historical'],
  ['Past medical history\nDepression, in remission', 'depression | historical'],
  ['Past medical history\nGestational diabetes 2012', 'gestational diabetes | historical'],
  ['A 78 year old man with asthma.', 'asthma | present'],
])

void check('how long a complaint has lasted does not make it past', [
  ['8/12 hx of knee pain.', 'knee pain | present'],
  ['He has a three month history of cough.', 'cough | present'],
  ['She has had reflux for six months.', 'reflux | present'],
  ['He has a history of pneumonia.', 'pneumonia | historical'],
])

void check('what is feared, asked, explained or looked for is not there', [
  ['I discussed the risks, including stroke and death.', 'stroke | hypothetical'],
  ['She asked whether she has arthritis.'],
  ['Education provided regarding heart failure symptoms.', 'heart failure | hypothetical'],
  ['Seen in the diabetes clinic.'],
  ['Assessment\nr/o pulmonary embolism', 'pulmonary embolism | uncertain'],
  ['Assessment\nDVT ppx - heparin'],
  ['Conclusion\nCannot exclude small pneumothorax', 'small pneumothorax | uncertain'],
  ['Not pneumonia clinically.', 'pneumonia | negated'],
])

void check('the family: who, how old, and what nobody has', [
  ['His father had a heart attack at 48.', 'family: | heart attack | family | father | 48'],
  ['Family history\nSister - breast cancer (age 44)', 'family: | breast cancer | family | sister | 44'],
  ['Maternal aunt: ovarian cancer, onset 45 yrs.', 'family: | ovarian cancer | family | maternal aunt | 45'],
  ['Mother died at 70 of bowel cancer.', 'family: | bowel cancer | family | mother'],
  ['Father: stroke, died aged 80.', 'family: | stroke | family | father'],
  ['No family history of bowel cancer.', 'family: | bowel cancer | negated'],
  ['Family history is negative for glaucoma.', 'family: | glaucoma | negated'],
  ['Mother: no diabetes.', 'family: | diabetes | negated | mother'],
  ['No one in the family has psoriasis.', 'family: | psoriasis | negated'],
  ['Her mother, who never smoked, had breast cancer.'],
])
