import { aboutRelative, spokeHead, type Admission, type CodedFact } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

/** Ingredient, strength, form and frequency make a medicine; a mention of the name alone joins the one that says more. */
export function admitMedication(fact: CodedFact): Admission {
  if (fact.status === 'family') return aboutRelative
  const { detail } = fact
  const clinicalStatus = detail.clinicalStatus === 'resolved' ? null : (detail.clinicalStatus ?? null)
  return {
    kind: 'event',
    eventType: 'medication',
    assertion: fact.status,
    mergeKey: mergeKey(
      fact,
      [],
      [
        fact.value === null ? null : `${fact.value} ${fact.unit ?? ''}`,
        detail.form,
        detail.frequencyCode ?? detail.frequency,
        clinicalStatus,
      ],
    ),
    spoke: {
      table: 'patient_medications',
      row: {
        ...spokeHead(fact),
        strength: fact.value,
        strengthUnit: fact.unit,
        form: detail.form ?? null,
        dose: detail.dose ?? null,
        route: detail.route ?? null,
        frequency: detail.frequency ?? null,
        frequencyCode: detail.frequencyCode ?? null,
        indication: detail.indication ?? null,
        prescriber: detail.prescriber ?? null,
        duration: detail.duration ?? null,
        clinicalStatus,
      },
    },
  }
}
