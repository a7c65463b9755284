import type { FactStatus } from '../document/found-fact.ts'

/** An event of the record with what its spoke says: a row of the view `patient_record`. */
export type RecordedEvent = {
  readonly id: string
  readonly eventType:
    | 'medication'
    | 'lab_result'
    | 'vital_sign'
    | 'condition'
    | 'allergy'
    | 'immunization'
    | 'procedure'
    | 'symptom'
    | 'physical_finding'
    | 'imaging_result'
    | 'family_history'
    | 'social_history'
  readonly assertion: FactStatus
  readonly name: string
  readonly codeSystem: string | null
  readonly code: string | null
  /** ISO 8601, as exact as printed. */
  readonly eventDate: string | null
  readonly dateMeaning: string | null
  readonly valueText: string | null
  readonly unit: string | null
  readonly referenceRange: string | null
  readonly flag: string | null
  readonly dose: string | null
  readonly route: string | null
  readonly frequency: string | null
  readonly clinicalStatus: string | null
  readonly indication: string | null
  readonly reaction: string | null
  readonly relationship: string | null
}

/** What is told and the events that it stands on; one that stands on none is not written. */
export type Sentence = { readonly sentence: string; readonly citedEventIds: readonly string[] }
export type Storyline = { readonly title: string; readonly sentences: readonly Sentence[] }
