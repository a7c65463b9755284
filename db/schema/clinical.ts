// Longer than 300 lines because the hub and its spokes are one shape, read side by side.
import { sql } from 'drizzle-orm'
import {
  check,
  date,
  foreignKey,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core'
import { at, createdAt, id, oneOf } from './columns.ts'
import { shellFiles } from './documents.ts'
import { confidences, factReviews, factStatuses } from './facts.ts'
import { userProfiles } from './identity.ts'

export const eventTypes = [
  'medication',
  'lab_result',
  'vital_sign',
  'condition',
  'allergy',
  'immunization',
  'procedure',
  'symptom',
  'physical_finding',
  'imaging_result',
  'family_history',
  'social_history',
] as const
export const encounterKinds = ['visit', 'admission', 'emergency', 'telehealth', 'other'] as const

export const healthcareEncounters = pgTable(
  'healthcare_encounters',
  {
    id: id(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'restrict' }),
    factId: uuid().notNull().unique('healthcare_encounters_fact_key'),
    encounterKind: text({ enum: encounterKinds }).notNull(),
    name: text().notNull(),
    assertion: text({ enum: factStatuses }).notNull(),
    /** ISO 8601, as exact as printed. */
    startDate: text(),
    endDate: text(),
    provider: text(),
    facility: text(),
    /** Since when its file lies in the bin. */
    withdrawnAt: at(),
    createdAt: createdAt(),
  },
  (table) => [
    index('healthcare_encounters_patient_idx').on(table.patientId, table.startDate),
    check('healthcare_encounters_kind_check', oneOf('encounter_kind', encounterKinds)),
    check(
      'healthcare_encounters_assertion_check',
      oneOf('assertion', ['present', 'historical', 'uncertain', 'hypothetical']),
    ),
  ],
).enableRLS()

/**
 * The hub: one row for all facts that say the same. What it says, and its spoke, is what the best of them says
 * (`54-settling.sql`); its id is that of the first fact that made it.
 */
export const patientClinicalEvents = pgTable(
  'patient_clinical_events',
  {
    id: uuid().primaryKey(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'restrict' }),
    encounterId: uuid().references(() => healthcareEncounters.id, { onDelete: 'set null' }),
    eventType: text({ enum: eventTypes }).notNull(),
    assertion: text({ enum: factStatuses }).notNull(),
    /** ISO 8601, as exact as printed, and the first day it may mean, for sorting. */
    eventDate: text(),
    eventDay: date({ mode: 'string' }),
    dateMeaning: text(),
    confidence: text({ enum: confidences }).notNull(),
    confidenceReason: text(),
    review: text({ enum: factReviews }).notNull().default('unreviewed'),
    /** What makes two mentions the same fact within a patient (see `clinical/entities`); null never merges. */
    mergeKey: text(),
    archivedAt: at(),
    /** Since when every file that supports it lies in the bin; see `54-settling.sql`. */
    withdrawnAt: at(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [
    unique('patient_clinical_events_spoke_key').on(table.id, table.patientId, table.assertion),
    index('patient_clinical_events_timeline_idx').on(table.patientId, table.eventDay.desc(), table.id),
    index('patient_clinical_events_file_idx').on(table.shellFileId),
    unique('patient_clinical_events_merge_key').on(table.patientId, table.eventType, table.mergeKey),
    check('patient_clinical_events_type_check', oneOf('event_type', eventTypes)),
    check('patient_clinical_events_assertion_check', oneOf('assertion', factStatuses)),
    check('patient_clinical_events_family_check', sql`(assertion = 'family') = (event_type = 'family_history')`),
  ],
).enableRLS()

/** What every spoke repeats: it can belong to no other patient and no other assertion than its hub row. */
const spoke = {
  eventId: uuid().primaryKey(),
  patientId: uuid().notNull(),
  assertion: text({ enum: factStatuses }).notNull(),
  /** The name as printed. */
  name: text().notNull(),
  codeSystem: text(),
  code: text(),
  codeDisplay: text(),
}

const hubKey = (name: string, table: { eventId: AnyPgColumn; patientId: AnyPgColumn; assertion: AnyPgColumn }) =>
  foreignKey({
    name: `${name}_hub_fkey`,
    columns: [table.eventId, table.patientId, table.assertion],
    foreignColumns: [patientClinicalEvents.id, patientClinicalEvents.patientId, patientClinicalEvents.assertion],
  }).onUpdate('cascade')

/** Laboratory results, vital signs, findings, imaging conclusions. */
export const patientObservations = pgTable(
  'patient_observations',
  {
    ...spoke,
    observationType: text({ enum: ['lab_result', 'vital_sign', 'physical_finding', 'imaging_result'] }).notNull(),
    valueText: text(),
    comparator: text({ enum: ['<', '<=', '>', '>='] }),
    valueNumeric: numeric(),
    /** As printed, and its UCUM code. */
    unit: text(),
    unitUcum: text(),
    /** The number in the unit that the test is compared in; null where that is not known. */
    usualValue: numeric(),
    usualUnitUcum: text(),
    referenceRange: text(),
    referenceLow: numeric(),
    referenceHigh: numeric(),
    /** Only as printed. */
    flag: text(),
    specimen: text(),
    panel: text(),
  },
  (table) => [
    hubKey('patient_observations', table),
    index('patient_observations_trend_idx').on(table.patientId, table.code),
    check(
      'patient_observations_type_check',
      oneOf('observation_type', ['lab_result', 'vital_sign', 'physical_finding', 'imaging_result']),
    ),
    check('patient_observations_comparator_check', oneOf('comparator', ['<', '<=', '>', '>='])),
  ],
).enableRLS()

/** Parts of a measurement that is printed as one (blood pressure 132/84). */
export const patientObservationComponents = pgTable(
  'patient_observation_components',
  {
    eventId: uuid()
      .notNull()
      .references(() => patientObservations.eventId, { onDelete: 'cascade' }),
    ordinal: smallint().notNull(),
    patientId: uuid().notNull(),
    name: text().notNull(),
    code: text(),
    valueNumeric: numeric().notNull(),
    unitUcum: text(),
  },
  (table) => [primaryKey({ name: 'patient_observation_components_pkey', columns: [table.eventId, table.ordinal] })],
).enableRLS()

export const patientMedications = pgTable(
  'patient_medications',
  {
    ...spoke,
    strength: text(),
    strengthUnit: text(),
    form: text(),
    dose: text(),
    route: text(),
    frequency: text(),
    /** n/period, as in the terminology: 2/d, 1/wk. */
    frequencyCode: text(),
    indication: text(),
    prescriber: text(),
    duration: text(),
    clinicalStatus: text({ enum: ['active', 'completed', 'stopped', 'planned'] }),
  },
  (table) => [
    hubKey('patient_medications', table),
    index('patient_medications_patient_idx').on(table.patientId),
    check('patient_medications_status_check', oneOf('clinical_status', ['active', 'completed', 'stopped', 'planned'])),
  ],
).enableRLS()

export const patientConditions = pgTable(
  'patient_conditions',
  {
    ...spoke,
    conditionType: text({ enum: ['condition', 'symptom'] }).notNull(),
    clinicalStatus: text({ enum: ['active', 'resolved'] }),
    severity: text(),
    bodySite: text(),
    laterality: text(),
  },
  (table) => [
    hubKey('patient_conditions', table),
    index('patient_conditions_patient_idx').on(table.patientId),
    check('patient_conditions_type_check', oneOf('condition_type', ['condition', 'symptom'])),
    check('patient_conditions_status_check', oneOf('clinical_status', ['active', 'resolved'])),
  ],
).enableRLS()

export const patientAllergies = pgTable(
  'patient_allergies',
  { ...spoke, reaction: text(), severity: text(), category: text() },
  (table) => [hubKey('patient_allergies', table), index('patient_allergies_patient_idx').on(table.patientId)],
).enableRLS()

export const patientImmunizations = pgTable(
  'patient_immunizations',
  { ...spoke, doseNumber: text(), batch: text(), site: text(), manufacturer: text() },
  (table) => [hubKey('patient_immunizations', table), index('patient_immunizations_patient_idx').on(table.patientId)],
).enableRLS()

/** Procedures and treatments given. */
export const patientInterventions = pgTable(
  'patient_interventions',
  {
    ...spoke,
    bodySite: text(),
    laterality: text(),
    clinicalStatus: text({ enum: ['completed', 'planned'] }),
  },
  (table) => [
    hubKey('patient_interventions', table),
    index('patient_interventions_patient_idx').on(table.patientId),
    check('patient_interventions_status_check', oneOf('clinical_status', ['completed', 'planned'])),
  ],
).enableRLS()

export const familyHistory = pgTable('family_history', { ...spoke, relationship: text() }, (table) => [
  hubKey('family_history', table),
  index('family_history_patient_idx').on(table.patientId),
  check('family_history_assertion_check', sql`assertion = 'family'`),
]).enableRLS()

export const socialHistory = pgTable('social_history', { ...spoke, valueText: text() }, (table) => [
  hubKey('social_history', table),
  index('social_history_patient_idx').on(table.patientId),
]).enableRLS()

/** Storylines over admitted facts; every sentence cites at least one event. */
export const clinicalNarratives = pgTable(
  'clinical_narratives',
  {
    id: id(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    /** What the storyline is about: a heading made from codes and types ("Results", "Medicines"). */
    title: text().notNull(),
    ordinal: integer().notNull(),
    provider: text().notNull(),
    model: text().notNull(),
    promptVersion: text(),
    createdAt: createdAt(),
  },
  (table) => [
    unique('clinical_narratives_file_key').on(table.shellFileId, table.ordinal),
    index('clinical_narratives_patient_idx').on(table.patientId),
  ],
).enableRLS()

export const clinicalNarrativeSentences = pgTable(
  'clinical_narrative_sentences',
  {
    narrativeId: uuid()
      .notNull()
      .references(() => clinicalNarratives.id, { onDelete: 'cascade' }),
    ordinal: smallint().notNull(),
    patientId: uuid().notNull(),
    sentence: text().notNull(),
    /** Event ids; never empty. An event that goes takes its sentences along (see `50-clinical.sql`). */
    citedEventIds: uuid().array().notNull(),
    /** Since when its own file, or an event that it cites, is out of the record's views. */
    withdrawnAt: at(),
  },
  (table) => [
    primaryKey({ name: 'clinical_narrative_sentences_pkey', columns: [table.narrativeId, table.ordinal] }),
    check('clinical_narrative_sentences_cited_check', sql`cardinality(cited_event_ids) > 0`),
  ],
).enableRLS()

export type ClinicalEvent = typeof patientClinicalEvents.$inferSelect
export type NewClinicalEvent = typeof patientClinicalEvents.$inferInsert
