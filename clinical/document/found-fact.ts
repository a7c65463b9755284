/**
 * A fact as pass 1 finds it: verbatim, with its context, and tied to printed words. Nothing here is trusted yet;
 * pass 2 codes and checks it, and only admitted facts become rows of the record.
 */
import { factStatuses, factTypes } from '../../db/schema/facts.ts'

export { factStatuses, factTypes }
export type FactType = (typeof factTypes)[number]
export type FactStatus = (typeof factStatuses)[number]

export const spanRoles = ['name', 'value', 'unit', 'reference_range', 'date', 'detail', 'cue'] as const
export type SpanRole = (typeof spanRoles)[number]

/** A place in `MappedDocument.text`, UTF-16 code units. */
export type Span = { readonly role: SpanRole; readonly start: number; readonly length: number }

/** ISO 8601, as exact as printed: "2019", "2019-03" or "2019-03-07". `ambiguous`: day and month could be swapped. */
export type FoundDate = {
  readonly iso: string
  readonly printed: string
  readonly meaning:
    | 'collected'
    | 'reported'
    | 'onset'
    | 'performed'
    | 'given'
    | 'started'
    | 'stopped'
    | 'visit'
    | 'document'
    | 'birth'
  readonly certainty: 'printed' | 'locale' | 'ambiguous'
}

/** `system` is a name that we know ("LOINC", "SNOMED"), else whatever the file calls it. */
export type SourceCode = { readonly system: string; readonly code: string; readonly display: string | null }

/** What is particular to a type; all as printed unless said otherwise. */
export type FactDetail = {
  /** medication: 1/d, 2/d, 1/wk, as in `terminology/sig.tsv`, beside the printed words. */
  readonly dose?: string
  readonly route?: string
  readonly frequency?: string
  readonly frequencyCode?: string
  readonly form?: string
  readonly duration?: string
  readonly indication?: string
  readonly prescriber?: string
  /** medication and condition: active, stopped, completed, planned, resolved, … */
  readonly clinicalStatus?: 'active' | 'completed' | 'stopped' | 'planned' | 'resolved'
  /** medication: stopped, as its words are struck out and nothing else says so */
  readonly isStruckOut?: boolean
  /** lab_result */
  readonly comparator?: '<' | '<=' | '>' | '>='
  readonly flag?: string
  readonly specimen?: string
  readonly panel?: string
  /** vital_sign with two parts (blood pressure): "132/84" is the value, these are its parts. */
  readonly components?: readonly { readonly name: string; readonly value: string }[]
  /** allergy */
  readonly reaction?: string
  readonly severity?: string
  /** immunization */
  readonly doseNumber?: string
  readonly batch?: string
  readonly site?: string
  readonly manufacturer?: string
  /** family_history: mother, father, … */
  readonly relationship?: string
  /** condition and family_history: how old they were when it began, as printed ("44", "her 50s"). */
  readonly onsetAge?: string
  /** condition, procedure */
  readonly laterality?: string
  readonly bodySite?: string
  /** encounter */
  readonly encounterType?: string
  readonly provider?: string
  readonly facility?: string
  readonly endDate?: string
  /** As the file itself gives them; from structured files alone. */
  readonly codes?: readonly SourceCode[]
  /** The unit's UCUM code as the file itself gives it. */
  readonly ucum?: string
  /** Which of several people in one file this is about; any word that tells them apart. */
  readonly subject?: string
  /** identity: name, date_of_birth, sex, medicare_number, ihi, mrn, address, phone */
  readonly identityKind?: string
}

export type FoundFact = {
  readonly type: FactType
  /** The name of the thing alone, as printed: "Haemoglobin", "metformin XR". */
  readonly text: string
  readonly status: FactStatus
  readonly value: string | null
  readonly unit: string | null
  readonly referenceRange: string | null
  readonly date: FoundDate | null
  readonly detail: FactDetail
  /** At least the name's; a fact without words on a page does not exist. */
  readonly spans: readonly Span[]
  /** Id of the row in `clinical/terminology/tables` that the words matched, "<table>:<id>"; null when only grammar found it. */
  readonly concept: string | null
  /** How sure the rule or the aligned quote is, before any check: a specific grammar is strong, a lone dictionary word weak. */
  readonly strength: 'strong' | 'fair' | 'weak'
  readonly foundBy: {
    readonly pass: 1
    readonly provider: string
    readonly model: string
    readonly promptVersion: string | null
  }
}

/** A contact in the file; facts point into `encounters` of the answer by place, not by id. */
export type FindFacts = (document: import('./mapped.ts').MappedDocument) => {
  readonly facts: readonly FoundFact[]
  /** Lines (indexes) that no fact claimed and that are not furniture: what a recall pass would ask about. */
  readonly unreadLines: readonly number[]
  /** Places that were read and state nothing of this patient: what a form left unticked, what is said of somebody else. */
  readonly ruledOut: readonly { readonly start: number; readonly end: number }[]
}
