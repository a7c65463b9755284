import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  uniqueIndex,
  uuid,
  bigint,
} from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'
import { shellFiles, stages } from './documents.ts'
import { userProfiles } from './identity.ts'

export const factTypes = [
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
  'encounter',
  'identity',
] as const
export const factStatuses = ['present', 'negated', 'historical', 'family', 'hypothetical', 'uncertain'] as const
/**
 * found → admitted (its event says what it says), merged (one more source of an event), held (waits for a person), refused (failed a check), noted (identity and
 * other facts that have no place in the record). rejected: a person said no; a tombstone that survives every re-run.
 */
export const factDecisions = ['found', 'admitted', 'merged', 'held', 'refused', 'noted', 'rejected'] as const
export const confidences = ['high', 'check', 'low'] as const
export const factReviews = ['unreviewed', 'accepted', 'edited', 'rejected'] as const

/** What each pass found, admitted, refused and why. One row per fact and file version; its id is the fact's id in the API. */
export const entityProcessingAudit = pgTable(
  'entity_processing_audit_v2',
  {
    id: id(),
    patientId: uuid().notNull(),
    shellFileId: uuid().notNull(),
    textVersion: integer().notNull(),
    /** Type, name span and value span: the same finding of a re-run finds its row. */
    findingKey: text().notNull(),
    factType: text({ enum: factTypes }).notNull(),
    factText: text().notNull(),
    factStatus: text({ enum: factStatuses }).notNull(),
    value: text(),
    unit: text(),
    referenceRange: text(),
    /** `FoundDate`. */
    foundDate: jsonb(),
    /** `FactDetail`. */
    detail: jsonb().notNull(),
    concept: text(),
    strength: text().notNull(),
    decision: text({ enum: factDecisions }).notNull().default('found'),
    /** Plain words: why it was held, refused or merged. */
    decisionReason: text(),
    confidence: text({ enum: confidences }),
    confidenceReason: text(),
    review: text({ enum: factReviews }).notNull().default('unreviewed'),
    reviewedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    reviewedAt: at(),
    /** `CorrectedFact`: what a person said stands there. The columns above stay as they were found, for the next run to know them by. */
    corrected: jsonb(),
    /**
     * What it says as an entry of the record, whole (`53-record-entries.sql`); null: it has no place there. What the record says
     * is derived from these alone.
     */
    entry: jsonb(),
    /** A person said that it is not the same as what others say: it merges only with facts that have the same here. */
    apartId: uuid(),
    /** Which facts it may be the same as; kept by a trigger (`54-settling.sql`). */
    entryBase: text(),
    /** The clinical event or encounter that it stands behind. */
    eventId: uuid(),
    sessionId: uuid().references(() => semanticProcessingSessions.id, { onDelete: 'set null' }),
    foundByPass: smallint().notNull(),
    foundByProvider: text().notNull(),
    foundByModel: text().notNull(),
    promptVersion: text(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [
    uniqueIndex('entity_processing_audit_finding_key').on(table.shellFileId, table.textVersion, table.findingKey),
    index('entity_processing_audit_patient_idx').on(table.patientId, table.createdAt),
    index('entity_processing_audit_event_idx').on(table.eventId),
    index('entity_processing_audit_base_idx').on(table.patientId, table.entryBase),
    check('entity_processing_audit_type_check', oneOf('fact_type', factTypes)),
    check('entity_processing_audit_status_check', oneOf('fact_status', factStatuses)),
    check('entity_processing_audit_decision_check', oneOf('decision', factDecisions)),
    check('entity_processing_audit_confidence_check', oneOf('confidence', confidences)),
    check('entity_processing_audit_review_check', oneOf('review', factReviews)),
    check('entity_processing_audit_admitted_check', sql`(decision in ('admitted', 'merged')) = (event_id is not null)`),
  ],
).enableRLS()

/** Fact → page, box and words. A fact without a row here does not exist (deferred check in `50-clinical.sql`). */
export const factSources = pgTable(
  'fact_sources',
  {
    factId: uuid()
      .notNull()
      .references(() => entityProcessingAudit.id, { onDelete: 'cascade' }),
    ordinal: smallint().notNull(),
    role: text().notNull(),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'restrict' }),
    patientId: uuid().notNull(),
    textVersion: integer().notNull(),
    pageNumber: integer().notNull(),
    /** UTF-16 code units into the text of that version. */
    textStart: integer().notNull(),
    textLength: integer().notNull(),
    quote: text().notNull(),
    x0: real().notNull(),
    y0: real().notNull(),
    x1: real().notNull(),
    y1: real().notNull(),
    confidence01: real('confidence01').notNull(),
  },
  (table) => [
    primaryKey({ name: 'fact_sources_pkey', columns: [table.factId, table.ordinal] }),
    index('fact_sources_file_page_idx').on(table.shellFileId, table.pageNumber),
    check('fact_sources_box_check', sql`0 <= x0 and x0 < x1 and x1 <= 1 and 0 <= y0 and y0 < y1 and y1 <= 1`),
    check('fact_sources_text_check', sql`text_start >= 0 and text_length > 0`),
  ],
).enableRLS()

/** One run of a pass over a file: which model answered, with which prompt, at what cost, and how much it covered. */
export const semanticProcessingSessions = pgTable(
  'semantic_processing_sessions',
  {
    id: id(),
    patientId: uuid().notNull(),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    stage: text({ enum: stages }).notNull(),
    jobId: uuid(),
    provider: text().notNull(),
    modelRequested: text().notNull(),
    /** Each model that answered a part; null: none did. */
    modelAnswered: text(),
    promptVersion: text(),
    tokensIn: bigint({ mode: 'number' }).notNull().default(0),
    tokensOut: bigint({ mode: 'number' }).notNull().default(0),
    /** null: the price of a model that answered is not known. */
    costUsd: numeric({ precision: 12, scale: 6 }).default('0'),
    factsFound: integer().notNull().default(0),
    factsRefused: integer().notNull().default(0),
    /** Why, as codes with how often: no content. */
    refusedWhy: jsonb().$type<Readonly<Record<string, number>>>().notNull().default({}),
    linesTotal: integer().notNull().default(0),
    linesUnread: integer().notNull().default(0),
    /** What a model was asked about and has not answered; the rules have read it alone. */
    linesUnanswered: integer().notNull().default(0),
    charactersUnanswered: integer().notNull().default(0),
    unansweredWhy: jsonb().$type<Readonly<Record<string, number>>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (table) => [index('semantic_processing_sessions_file_idx').on(table.shellFileId, table.createdAt)],
).enableRLS()

/**
 * What a model answered to a question, by a hash of all that it was asked: the same question of the same person is not
 * paid for twice, and a run that was broken off goes on where it was. No answer is needed: all can be asked for again.
 */
export const modelAnswers = pgTable(
  'model_answers',
  {
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    /** sha256 of provider, model, version of the prompt and the question. */
    questionHash: text().notNull(),
    patientId: uuid().notNull(),
    /** Who paid: what is of no use is of none to another job. */
    jobId: uuid().notNull(),
    outcome: jsonb().notNull(),
    modelAnswered: text().notNull(),
    tokensIn: bigint({ mode: 'number' }).notNull(),
    tokensOut: bigint({ mode: 'number' }).notNull(),
    costUsd: numeric({ precision: 12, scale: 6 }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'model_answers_pkey', columns: [table.shellFileId, table.questionHash] }),
    index('model_answers_patient_idx').on(table.patientId, table.questionHash),
    index('model_answers_created_idx').on(table.createdAt),
    check('model_answers_hash_check', sql`question_hash ~ '^[0-9a-f]{64}$'`),
    check('model_answers_tokens_check', sql`tokens_in >= 0 and tokens_out >= 0`),
  ],
).enableRLS()

/** Candidates of the lexical search, best first; the chosen one is marked. Uncoded is legal and visible. */
export const medicalCodeAssignments = pgTable(
  'medical_code_assignments',
  {
    factId: uuid()
      .notNull()
      .references(() => entityProcessingAudit.id, { onDelete: 'cascade' }),
    rank: smallint().notNull(),
    patientId: uuid().notNull(),
    codeSystem: text().notNull(),
    code: text().notNull(),
    display: text().notNull(),
    score01: real('score01').notNull(),
    method: text().notNull(),
    isSelected: boolean().notNull().default(false),
  },
  (table) => [
    primaryKey({ name: 'medical_code_assignments_pkey', columns: [table.factId, table.rank] }),
    check('medical_code_assignments_score_check', sql`score01 between 0 and 1`),
  ],
).enableRLS()

export const reviewTypes = ['identity'] as const
export const reviewStatuses = ['pending', 'accepted', 'rejected'] as const

/** What waits for a person before it may pass on. */
export const manualReviewQueue = pgTable(
  'manual_review_queue',
  {
    id: id(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    reviewType: text({ enum: reviewTypes }).notNull(),
    /** Stable codes ("name_differs", "date_of_birth_differs"), no content. */
    reasons: text().array().notNull(),
    status: text({ enum: reviewStatuses }).notNull().default('pending'),
    decidedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    decidedAt: at(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex('manual_review_queue_pending_idx')
      .on(table.shellFileId, table.reviewType)
      .where(sql`status = 'pending'`),
    index('manual_review_queue_patient_idx').on(table.patientId, table.status),
    check('manual_review_queue_type_check', oneOf('review_type', reviewTypes)),
    check('manual_review_queue_status_check', oneOf('status', reviewStatuses)),
  ],
).enableRLS()

export type FactRow = typeof entityProcessingAudit.$inferSelect
export type NewFactRow = typeof entityProcessingAudit.$inferInsert
export type FactSourceRow = typeof factSources.$inferSelect
