import { spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { admitFamilyHistory } from '../family-history/admit.ts'
import { mergeKey } from '../merge-key.ts'

export const admitCondition = (fact: CodedFact) => admit(fact, 'condition')
export const admitSymptom = (fact: CodedFact) => admit(fact, 'symptom')

function admit(fact: CodedFact, type: 'condition' | 'symptom'): Admission {
  if (fact.status === 'family') return admitFamilyHistory(fact)
  const { detail } = fact
  const clinicalStatus =
    detail.clinicalStatus === 'active' || detail.clinicalStatus === 'resolved' ? detail.clinicalStatus : null
  return {
    kind: 'event',
    eventType: type,
    assertion: fact.status,
    // Only an onset tells two episodes apart; the day of a visit does not.
    mergeKey: mergeKey(fact, [detail.laterality], [fact.date?.meaning === 'onset' ? fact.date.iso : null]),
    spoke: {
      table: 'patient_conditions',
      row: {
        ...spokeHead(fact),
        conditionType: type,
        clinicalStatus,
        severity: detail.severity ?? null,
        bodySite: detail.bodySite ?? null,
        laterality: detail.laterality ?? null,
      },
    },
  }
}
