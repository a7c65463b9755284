import { aboutRelative, spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

export function admitProcedure(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  const { detail } = fact
  return {
    kind: 'event',
    eventType: 'procedure',
    assertion: fact.status,
    mergeKey: mergeKey(fact, [detail.laterality], [fact.date?.iso]),
    spoke: {
      table: 'patient_interventions',
      row: {
        ...spokeHead(fact),
        bodySite: detail.bodySite ?? null,
        laterality: detail.laterality ?? null,
        clinicalStatus:
          detail.clinicalStatus === 'completed' || detail.clinicalStatus === 'planned' ? detail.clinicalStatus : null,
      },
    },
  }
}
