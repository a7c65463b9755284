import { aboutRelative, spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

export function admitSocialHistory(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  return {
    kind: 'event',
    eventType: 'social_history',
    assertion: fact.status,
    mergeKey: mergeKey(fact, [fact.value], [fact.date?.iso]),
    spoke: { table: 'social_history', row: { ...spokeHead(fact), valueText: fact.value } },
  }
}
