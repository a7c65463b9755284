import { test } from 'tap'
import type { ApiFact } from '../../../db/queries/facts.ts'
import { scoredFacts } from '../../../scripts/export/scored-document.ts'

const admitted: ApiFact = {
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
  t.match(scoredFacts(admitted), [{ type: 'medication', text: 'Metformin', status: 'present' }])
  t.equal(scoredFacts({ ...admitted, in_record: false, held: true }).length, 1, 'what a person may still let in')
  t.same(scoredFacts({ ...admitted, in_record: false }), [])
  t.same(scoredFacts({ ...admitted, in_record: false, status: 'family' }), [])
  t.same(scoredFacts({ ...admitted, in_record: false, review: 'rejected' }), [])
  t.end()
})
