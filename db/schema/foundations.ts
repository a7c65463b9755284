import {
  bigint,
  boolean,
  check,
  customType,
  index,
  inet,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf, writtenBy } from './columns.ts'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

export const auditOperations = ['INSERT', 'UPDATE', 'DELETE', 'SELECT', 'EXECUTE'] as const
export const complianceCategories = [
  'clinical_data',
  'document',
  'consent_management',
  'access_control',
  'identity',
  'usage',
  'queue',
  'configuration',
  'privacy',
] as const

/** Append-only; partitioned by month (see the first migration); sealed into a hash chain by `seal_audit_log()`. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid()
      .notNull()
      .default(sql`public.uuid_v7()`),
    changedAt: at()
      .notNull()
      .default(sql`clock_timestamp()`),
    tableName: text().notNull(),
    recordId: text().notNull(),
    operation: text({ enum: auditOperations }).notNull(),
    /** Column names and ids, never clinical or personal content. */
    oldValues: jsonb(),
    newValues: jsonb(),
    reason: text(),
    complianceCategory: text({ enum: complianceCategories }),
    patientId: uuid(),
    /** The account that acted or, for workers, that started the work. */
    changedBy: uuid(),
    actorRole: text().notNull(),
    jobId: uuid(),
    correlationId: text(),
    ipAddress: inet(),
    /** Place in the chain of its partition, set once by sealing; null until then. */
    chainPosition: bigint({ mode: 'bigint' }),
    rowHash: bytea(),
  },
  (table) => [
    primaryKey({ name: 'audit_log_pkey', columns: [table.id, table.changedAt] }),
    index('audit_log_record_idx').on(table.tableName, table.recordId, table.changedAt),
    index('audit_log_patient_idx').on(table.patientId, table.changedAt),
    // What operators read, of all people: newest first.
    index('audit_log_time_idx').on(table.changedAt, table.id),
    index('audit_log_unsealed_idx')
      .on(table.changedAt, table.id)
      .where(sql`row_hash is null`),
    check('audit_log_operation_check', oneOf('operation', auditOperations)),
    check('audit_log_compliance_category_check', oneOf('compliance_category', complianceCategories)),
  ],
).enableRLS()

/** How far each month of the audit log was sealed, and with which hash: what the removal of its last rows would contradict. */
export const auditSeals = pgTable(
  'audit_seals',
  {
    /** The month, as its partition is named. */
    chain: text().notNull(),
    lastPosition: bigint({ mode: 'bigint' }).notNull(),
    lastRowId: uuid().notNull(),
    lastHash: bytea().notNull(),
    sealedAt: createdAt(),
    /** Set on the one seal that closes a month whose rows were dropped when their years were over. */
    droppedAt: at(),
  },
  (table) => [primaryKey({ name: 'audit_seals_pkey', columns: [table.chain, table.lastPosition] })],
).enableRLS()

/** Settings that operators change while everything runs. */
export const systemConfiguration = pgTable('system_configuration', {
  configKey: text().primaryKey(),
  configValue: jsonb().notNull(),
  description: text().notNull(),
  updatedAt: createdAt(),
}).enableRLS()

export const featureFlags = pgTable('feature_flags', {
  featureName: text().primaryKey(),
  enabled: boolean().notNull().default(false),
  description: text().notNull(),
  updatedAt: createdAt(),
}).enableRLS()

/** Audit events that could not be written when they happened, kept until they can: traces of reading above all, which are written in batches. */
export const failedAuditEvents = pgTable(
  'failed_audit_events',
  {
    id: id(),
    /** The event as it was to be written: ids and words of closed lists, no content. */
    auditPayload: jsonb().notNull(),
    occurredAt: at().notNull(),
    /** SQLSTATE of the refusal. */
    failureCode: text().notNull(),
    recoveryAttempts: smallint().notNull().default(0),
    recoveredAt: at(),
    createdAt: createdAt(),
  },
  (table) => [
    index('failed_audit_events_open_idx')
      .on(table.createdAt)
      .where(sql`recovered_at is null`),
  ],
).enableRLS()

export const notificationKinds = [
  'access_offered',
  'provider_access_requested',
  'break_glass_used',
  'account_closure_requested',
  'export_ready',
  'slo_missed',
] as const

/** What an account is told: a kind and ids; the words are the client's. */
export const systemNotifications = pgTable(
  'system_notifications',
  {
    id: id(),
    accountId: uuid()
      .notNull()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    kind: text({ enum: notificationKinds }).notNull(),
    patientId: uuid(),
    /** The row that it is about: a permission, a provider's request, a break-glass access, a closure, an export, an alert. */
    subjectId: uuid().notNull(),
    readAt: at(),
    createdAt: createdAt(),
    writtenBy: writtenBy(),
  },
  (table) => [
    index('system_notifications_account_idx').on(table.accountId, table.createdAt.desc()),
    index('system_notifications_written_idx').on(table.writtenBy),
    check('system_notifications_kind_check', oneOf('kind', notificationKinds)),
  ],
).enableRLS()
