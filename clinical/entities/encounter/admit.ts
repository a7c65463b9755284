import type { encounterKinds } from '../../../db/schema/clinical.ts'
import { aboutRelative, type Admission, type CodedFact } from '../admission.ts'

export function admitEncounter(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  if (fact.status === 'negated') return { kind: 'noted', reason: 'The document says that this contact did not happen.' }
  const { detail } = fact
  return {
    kind: 'encounter',
    row: {
      encounterKind: kindOf(`${detail.encounterType ?? ''} ${fact.text}`),
      name: fact.text,
      assertion: fact.status,
      startDate: fact.date?.iso ?? null,
      endDate: detail.endDate ?? null,
      provider: detail.provider ?? null,
      facility: detail.facility ?? null,
    },
  }
}

function kindOf(words: string): (typeof encounterKinds)[number] {
  if (/emergency|\bED\b|casualty/i.test(words)) return 'emergency'
  if (/admi|inpatient|hospital stay|discharge/i.test(words)) return 'admission'
  if (/tele|phone|video/i.test(words)) return 'telehealth'
  return /visit|consult|appointment|review|clinic|attend|check/i.test(words) ? 'visit' : 'other'
}
