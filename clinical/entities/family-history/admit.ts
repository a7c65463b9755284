import { spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

/** A relative's condition. Its assertion is always `family`, so that no query for what the patient has can meet it. */
export function admitFamilyHistory(fact: CodedFact): Admission {
  if (fact.status !== 'family' && fact.status !== 'present')
    return { kind: 'noted', reason: 'The document says that this is not, or may not be, in the family.' }
  return {
    kind: 'event',
    eventType: 'family_history',
    assertion: 'family',
    mergeKey: mergeKey({ ...fact, status: 'family' }, [], [fact.detail.relationship]),
    spoke: {
      table: 'family_history',
      row: { ...spokeHead(fact), relationship: fact.detail.relationship ?? null },
    },
  }
}
