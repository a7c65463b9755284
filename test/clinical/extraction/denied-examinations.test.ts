/** A denial near an examination is mostly its result; only some deny that it was done. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const procedures = (line: string) =>
  findFacts(printDocument(line))
    .facts.filter((fact) => fact.type === 'procedure')
    .map(({ text, status }) => `${text.toLowerCase()} | ${status}`)

void test('what an examination did not show does not undo it', (t) => {
  for (const [line, fact] of [
    ['No evidence of PE on CTPA', 'ctpa | present'],
    ['USS negative', 'uss | present'],
    ['CT head was negative', 'ct head | present'],
    ['CT head: negative', 'ct head | present'],
    ['CTPA -ve', 'ctpa | present'],
    ['No fracture seen on X-ray.', 'x-ray | present'],
    ['Doppler ultrasound - nil DVT.', 'ultrasound | present'],
    ['Gallstones were not seen on ultrasound.', 'ultrasound | present'],
    ['Pneumonia was excluded by chest X-ray.', 'chest x-ray | present'],
    ['Abdominal ultrasound ruled out gallstones.', 'abdominal ultrasound | present'],
    ['Without abnormality on MRI lumbar spine.', 'mri lumbar spine | present'],
  ] as const)
    t.strictSame(procedures(line), [fact], line)
  t.end()
})

void test('what was not done was not done', (t) => {
  for (const [line, fact] of [
    ['No CT was performed.', 'ct | negated'],
    ['Ultrasound was not performed.', 'ultrasound | negated'],
    ['Colonoscopy? No', 'colonoscopy | negated'],
    ['She declined colonoscopy.', 'colonoscopy | negated'],
    ['Never had a mammogram.', 'mammogram | negated'],
    ['No history of appendicectomy.', 'appendicectomy | negated'],
    ['Appendicectomy: N', 'appendicectomy | negated'],
  ] as const)
    t.strictSame(procedures(line), [fact], line)
  t.end()
})
