import { test } from 'tap'
import type { FactType } from '../../../clinical/document/found-fact.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

type Options = Parameters<typeof printDocument>[1]
const found = (type: FactType, source: string, options: Options = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === type)
    .map(({ text, status, date }) => [text, status, date?.iso ?? ''].join(' | '))
const concluded = (impression: string) =>
  found('imaging_result', `CT CHEST\nExamination date: 5/06/2023\nImpression\n${impression}`, {
    documentClass: 'imaging_report',
  })

const statements: readonly (readonly [string, readonly string[]])[] = [
  ['6 mm nodule in the right upper lobe.', ['6 mm nodule in the right upper lobe | present']],
  ['No pulmonary embolism.', ['pulmonary embolism | negated']],
  ['There is no evidence of fracture or dislocation.', ['fracture or dislocation | negated']],
  ['Pleural effusion is not seen.', ['Pleural effusion | negated']],
  ['Possible early pneumonia.', ['Possible early pneumonia | uncertain']],
  ['Small effusion, likely reactive.', ['Small effusion | present', 'likely reactive | uncertain']],
  ['No interval change in the nodule.', ['No interval change in the nodule | present']],
  ['Gallstones; no biliary dilatation.', ['Gallstones | present', 'biliary dilatation | negated']],
  ['Normal study.', ['Normal study | present']],
  ['Follow-up CT in 12 months is recommended.', []],
  ['Clinical correlation is recommended.', []],
  ['Please discuss at the lung meeting.', []],
]

void test('each statement of an impression is one result', async (t) => {
  for (const [said, expected] of statements)
    t.strictSame(
      concluded(said),
      expected.map((line) => `${line} | 2023-06-05`),
      said,
    )
})

void test('what was asked and how it was done is no result', async (t) => {
  const report = 'CT CHEST\nClinical history: ?PE\nTechnique: CTPA with contrast.\nIndication: possible pneumonia'
  t.strictSame(found('imaging_result', report, { documentClass: 'imaging_report' }), [])
  t.strictSame(found('imaging_result', 'Impression\nViral illness.', { documentClass: 'clinic_note' }), [])
})

void test('a letter quotes pictures with their name, and not those to come', async (t) => {
  const letter = 'Imaging\nCT head 2/5/2023: small right subdural haematoma\nMRI brain requested.\nCXR: clear lungs'
  t.strictSame(found('imaging_result', letter), [
    'small right subdural haematoma | present | 2023-05-02',
    'clear lungs | present | ',
  ])
})

const signs: readonly (readonly [string, readonly string[]])[] = [
  ['Bibasal crackles.', ['Bibasal crackles | present']],
  ['JVP elevated.', ['JVP elevated | present']],
  ['Abdomen: soft, non tender.', ['Abdomen: soft, non tender | present']],
  ['The chest is clear.', ['chest is clear | present']],
  ['Heart sounds dual, nil added.', ['Heart sounds dual, nil added | present']],
  ['No guarding or rebound.', ['guarding | negated', 'rebound | negated']],
  ['Chest not clear.', []],
  ['Possible pleural rub.', ['pleural rub | uncertain']],
  ['Lungs clear to auscultation bilaterally.', ['Lungs clear to auscultation bilaterally | present']],
]

void test('signs of an examination', async (t) => {
  for (const [said, expected] of signs)
    t.strictSame(
      found('physical_finding', `Visit date: 12/01/2022\nExamination\n${said}`),
      expected.map((line) => `${line} | 2022-01-12`),
      said,
    )
  t.strictSame(found('physical_finding', 'O/E: chest clear').length, 1)
})

void test('the same words in a history or a plan are no findings', async (t) => {
  t.strictSame(found('physical_finding', 'Plan\nReturn if calf tenderness.'), [])
  t.strictSame(found('physical_finding', 'History of presenting illness\nShe had guarding last week.'), [])
})

const vitals: readonly (readonly [string, readonly string[]])[] = [
  ['BP 150/90 lying, 130/80 standing', ['BP 150/90', 'BP 130/80']],
  ['BP 150/90 repeat 142/86', ['BP 150/90', 'BP 142/86']],
  ['BP 156/94 (R arm), 150/92 (L arm). Pulse 72 reg', ['BP 156/94', 'BP 150/92', 'Pulse 72']],
  ['BP (sitting) 138/82', ['BP 138/82']],
  ['BP: 120/80 mmHg HR: 72 bpm', ['BP 120/80 mmHg', 'HR 72 bpm']],
  ['BP 150/90 on 12/11/2020', ['BP 150/90']],
  ['BP 150/90, irbesartan/HCT 300/12.5 daily', ['BP 150/90']],
  [`Ht 5'6"`, [`Ht 5'6"`]],
  ['Height: 5 ft 6 in Weight: 182 lbs', ['Height 5 ft 6 in', 'Weight 182 lbs']],
  ['Weight 31 lb 4 oz', ['Weight 31 lb 4 oz']],
  ['LVEF 55-60%', ['LVEF 55-60 %']],
  ['Ejection fraction is estimated at 35 to 40%.', ['Ejection fraction 35 to 40 %']],
  ['Temp 38.1C RR 18 SpO2 95% RA', ['Temp 38.1 C', 'RR 18', 'SpO2 95 %']],
  ['Temp 98.6 F', ['Temp 98.6 F']],
  ['Pain: 6/10', ['Pain 6 /10']],
  ['SpO2 92% on 2 L/min O2', ['SpO2 92 %']],
  ['Weight 12.4 kg (50th percentile)', ['Weight 12.4 kg']],
  ['Pain for 10 days', []],
]

void test('measurements in the shapes that notes print them', async (t) => {
  for (const [said, expected] of vitals) {
    const facts = findFacts(printDocument(`Visit date: 12/01/2022\nVital signs\n${said}`)).facts
    const read = facts
      .filter((fact) => fact.type === 'vital_sign' || fact.type === 'lab_result')
      .map(({ text, value, unit }) => [text, value, unit ?? ''].join(' ').trim())
    t.strictSame(read, expected, said)
  }
})
