import { bigint, boolean, check, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at, createdAt, oneOf } from './columns.ts'
import { userProfiles } from './identity.ts'

/** What may be done with a person's data, one by one. A purpose without code that asks for it is not in this list. */
export const consentPurposes = ['data_processing', 'outside_ocr', 'outside_ai', 'provider_access'] as const
export type ConsentPurpose = (typeof consentPurposes)[number]
export const consentDecisions = ['granted', 'denied', 'withdrawn'] as const
export const consentCapacities = ['self', 'guardian'] as const

/** The purposes as data: operators decide which of them hold as long as nobody has said no. */
export const consentPurposeRules = pgTable(
  'consent_purposes',
  {
    purpose: text({ enum: consentPurposes }).primaryKey(),
    /** True: holds until it is denied or withdrawn. False: holds only once it is granted. */
    holdsUndecided: boolean().notNull(),
    description: text().notNull(),
  },
  () => [check('consent_purposes_purpose_check', oneOf('purpose', consentPurposes))],
).enableRLS()

/** Decisions on purposes, append-only: the last one of a person and purpose holds. */
export const patientConsents = pgTable(
  'patient_consents',
  {
    /** In the order in which decisions of one person were made. */
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    purpose: text({ enum: consentPurposes })
      .notNull()
      .references(() => consentPurposeRules.purpose),
    decision: text({ enum: consentDecisions }).notNull(),
    /** No foreign key: the evidence outlives the account. */
    decidedBy: uuid().notNull(),
    capacity: text({ enum: consentCapacities }).notNull(),
    /** Of the text that the person was shown. */
    policyVersion: text(),
    expiresAt: at(),
    decidedAt: createdAt(),
  },
  (table) => [
    index('patient_consents_latest_idx').on(table.patientId, table.purpose, table.id.desc()),
    check('patient_consents_decision_check', oneOf('decision', consentDecisions)),
    check('patient_consents_capacity_check', oneOf('capacity', consentCapacities)),
  ],
).enableRLS()
