import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'
import { userProfiles } from './identity.ts'

export const exportStatuses = ['requested', 'ready', 'failed', 'expired'] as const
export const closureStatuses = ['requested', 'cancelled', 'purging', 'purged'] as const

/** Everything of one person, as an archive that is made once and kept for a few days. */
export const dataExports = pgTable(
  'data_exports',
  {
    id: id(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    requestedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    status: text({ enum: exportStatuses }).notNull().default('requested'),
    jobId: uuid(),
    storageKey: text().unique('data_exports_storage_key_key'),
    sizeBytes: bigint({ mode: 'number' }),
    sha256: text(),
    requestedAt: createdAt(),
    readyAt: at(),
    expiresAt: at(),
  },
  (table) => [
    index('data_exports_patient_idx').on(table.patientId, table.requestedAt.desc()),
    uniqueIndex('data_exports_running_idx')
      .on(table.patientId)
      .where(sql`status = 'requested'`),
    index('data_exports_expiry_idx')
      .on(table.expiresAt)
      .where(sql`status = 'ready'`),
    check('data_exports_status_check', oneOf('status', exportStatuses)),
    check(
      'data_exports_ready_check',
      sql`status <> 'ready' or (storage_key is not null and size_bytes is not null and sha256 is not null and expires_at is not null)`,
    ),
  ],
).enableRLS()

/** The closing of an account: asked for, waited for, carried out, and proven. Outlives the account and holds nothing personal. */
export const accountClosures = pgTable(
  'account_closures',
  {
    id: id(),
    accountId: uuid().notNull(),
    status: text({ enum: closureStatuses }).notNull().default('requested'),
    requestedAt: createdAt(),
    /** End of the waiting period, during which it can be called off. */
    dueAt: at().notNull(),
    cancelledAt: at(),
    purgedAt: at(),
    /** How many rows of each table and how many objects went, and when. */
    evidence: jsonb(),
  },
  (table) => [
    uniqueIndex('account_closures_open_idx')
      .on(table.accountId)
      .where(sql`status in ('requested', 'purging')`),
    index('account_closures_due_idx')
      .on(table.dueAt)
      .where(sql`status in ('requested', 'purging')`),
    check('account_closures_status_check', oneOf('status', closureStatuses)),
    check('account_closures_purged_check', sql`(status = 'purged') = (purged_at is not null and evidence is not null)`),
  ],
).enableRLS()

/** How long the rows of each table are kept. One row for every table there is. */
export const retentionRules = pgTable(
  'retention_rules',
  {
    tableName: text().primaryKey(),
    /** Null: no number of days ends them; `basis` says what does. */
    keepDays: integer(),
    /** From when on the days are counted, and why they are what they are. */
    basis: text().notNull(),
  },
  () => [check('retention_rules_keep_days_check', sql`keep_days > 0`)],
).enableRLS()
