/** Habits and procedures that a document says there never were. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

void test('habits and procedures that never were are denied', (t) => {
  const found = (line: string) =>
    findFacts(printDocument(line))
      .facts.filter(({ type }) => type === 'social_history' || type === 'procedure')
      .filter(({ status }) => status !== 'negated')
      .map(({ text }) => text)
  for (const line of [
    'She does not drink alcohol and does not use illicit drugs.',
    'He has never used cannabis.',
    'ECT has never been required.',
    'Dialysis was not required.',
  ]) {
    t.strictSame(found(line), [], line)
  }
  t.end()
})
