import { check, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'
import { shellFiles } from './documents.ts'
import { userProfiles } from './identity.ts'

/** `entered`: the fact itself is a person's. `separated`: it is not the same as what the record took it for. */
export const factDecisionKinds = ['accepted', 'edited', 'rejected', 'entered', 'separated'] as const
/** Why a person takes a fact out of the record. */
export const rejectionReasons = ['wrong_value', 'wrong_person', 'not_said', 'duplicate', 'other'] as const

/** What a person decided on a fact, and what stood before, so that it can be taken back whole. */
export const factReviewDecisions = pgTable(
  'fact_review_decisions',
  {
    id: id(),
    /** One act of a person: several rows have the same where many were accepted at once. */
    decisionId: uuid().notNull(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    /** The fact that was decided on, and the other mentions of the same thing in its file. Facts may be gone since. */
    factIds: uuid().array().notNull(),
    decision: text({ enum: factDecisionKinds }).notNull(),
    reasonCode: text({ enum: rejectionReasons }),
    /** What a person said stands there. */
    corrected: jsonb(),
    /** The facts' states, their codes, and the entry of the record: see `54-fact-states.sql`. */
    before: jsonb().notNull(),
    decidedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    decidedAt: createdAt(),
    undoneBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    undoneAt: at(),
  },
  (table) => [
    index('fact_review_decisions_file_idx').on(table.shellFileId, table.decidedAt),
    index('fact_review_decisions_patient_idx').on(table.patientId),
    check('fact_review_decisions_decision_check', oneOf('decision', factDecisionKinds)),
    check('fact_review_decisions_reason_check', oneOf('reason_code', rejectionReasons)),
    check('fact_review_decisions_rejected_check', sql`(decision = 'rejected') = (reason_code is not null)`),
    check('fact_review_decisions_edited_check', sql`(decision = 'edited') = (corrected is not null)`),
    check('fact_review_decisions_facts_check', sql`cardinality(fact_ids) > 0`),
  ],
).enableRLS()

/** What stood in a file before it was last processed again: what `GET /documents/:id/changes` compares with. */
export const factSnapshots = pgTable(
  'fact_snapshots',
  {
    shellFileId: uuid()
      .primaryKey()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    factCount: integer().notNull(),
    facts: jsonb().notNull(),
    takenAt: createdAt(),
  },
  (table) => [index('fact_snapshots_patient_idx').on(table.patientId)],
).enableRLS()

export type FactReviewDecision = typeof factReviewDecisions.$inferSelect
