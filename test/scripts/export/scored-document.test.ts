import { test } from 'tap'
import type { ScorableFact } from '../../../scripts/export/scored-document.ts'
import { scoredFacts } from '../../../scripts/export/scored-document.ts'

const text = 'Metformin\t500 mg\nRamipril\t5 mg'

const admitted: ScorableFact = {
  id: 'fact-1',
  type: 'medication',
  text: 'Metformin',
  code: null,
  value: '500',
  unit: 'mg',
  reference_range: null,
  date: null,
  status: 'present',
  confidence: 'high',
  reason: null,
  review: 'unreviewed',
  held: false,
  in_record: true,
  sources: [{ page: 1, box: [0.1, 0.1, 0.2, 0.12], quote: 'Metformin', start: 0, length: 9 }],
  found_by: { pass: 1, provider: 'local', model: 'rules', prompt_version: null },
}

test('what is kept and shown outside of the record is not exported as said of the patient', (t) => {
  t.match(scoredFacts(admitted, text), [{ type: 'medication', text: 'Metformin', status: 'present' }])
  t.equal(scoredFacts({ ...admitted, in_record: false, held: true }, text).length, 1, 'what a person may still let in')
  t.same(scoredFacts({ ...admitted, in_record: false }, text), [])
  t.same(scoredFacts({ ...admitted, in_record: false, status: 'family' }, text), [])
  t.same(scoredFacts({ ...admitted, in_record: false, review: 'rejected' }, text), [])
  t.end()
})

test('the place of a fact is its line, however the page is skewed, not the date in the head of the page', (t) => {
  const name = { page: 1, box: [0.1, 0.1, 0.2, 0.12], quote: 'Metformin', start: 0, length: 9 } as const
  const value = { page: 1, box: [0.8, 0.13, 0.9, 0.15], quote: '500 mg', start: 10, length: 6 } as const
  const elsewhere = { page: 1, box: [0.8, 0.1, 0.9, 0.12], quote: '5 mg', start: 26, length: 4 } as const
  const [scored] = scoredFacts({ ...admitted, sources: [name, value, elsewhere] }, text)
  t.same(scored?.bbox, [0.1, 0.1, 0.9, 0.15])
  t.end()
})
