import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const row = ({ text, status, date }: FoundFact) => [text, status, date?.iso ?? ''].join(' | ')
const procedures = (source: string, options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => fact.type === 'procedure')
    .map(row)

void test('past operations with their years', async (t) => {
  t.strictSame(procedures('Past surgical history\nAppendicectomy (1987)\nRight total knee replacement 2016'), [
    'Appendicectomy | historical | 1987',
    'Right total knee replacement | historical | 2016',
  ])
  t.strictSame(procedures('She underwent cholecystectomy in 2012.'), ['cholecystectomy | historical | 2012'])
})

void test('what was done in this stay, and what is only meant', async (t) => {
  t.strictSame(
    procedures(
      'Admission date: 02/03/2022\nDischarge date: 06/03/2022\nProcedures\nLaparoscopic appendicectomy (03/03/2022)',
      { documentClass: 'discharge_summary' },
    ),
    ['Laparoscopic appendicectomy | present | 2022-03-03'],
  )
  t.strictSame(procedures('Referred for consideration of total hip replacement.'), [
    'total hip replacement | hypothetical | ',
  ])
  t.strictSame(procedures('He has not had a colonoscopy.'), ['colonoscopy | negated | '])
})

void test('the title of an imaging report is the examination', async (t) => {
  t.strictSame(
    procedures('EXAM: MRI lumbar spine without contrast\nEXAM DATE: 04/07/2021\nFINDINGS: Normal alignment.', {
      locale: 'en-US',
      documentClass: 'imaging_report',
    }),
    ['MRI lumbar spine without contrast | present | 2021-04-07'],
  )
})
