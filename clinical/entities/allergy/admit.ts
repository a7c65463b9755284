import { aboutRelative, spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

/** "No known allergies" is a negated allergy, not an empty list. */
export function admitAllergy(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  return {
    kind: 'event',
    eventType: 'allergy',
    assertion: fact.status,
    mergeKey: mergeKey(fact, [], []),
    spoke: {
      table: 'patient_allergies',
      row: {
        ...spokeHead(fact),
        reaction: fact.detail.reaction ?? null,
        severity: fact.detail.severity ?? null,
        category: null,
      },
    },
  }
}
