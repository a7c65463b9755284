import { aboutRelative, spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

/** Vaccine and day, or batch, make a dose. */
export function admitImmunization(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  const { detail } = fact
  return {
    kind: 'event',
    eventType: 'immunization',
    assertion: fact.status,
    mergeKey: mergeKey(fact, [], [fact.date?.iso, detail.batch, detail.doseNumber]),
    spoke: {
      table: 'patient_immunizations',
      row: {
        ...spokeHead(fact),
        doseNumber: detail.doseNumber ?? null,
        batch: detail.batch ?? null,
        site: detail.site ?? null,
        manufacturer: detail.manufacturer ?? null,
      },
    },
  }
}
