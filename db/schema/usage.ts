import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  date,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'
import { userProfiles } from './identity.ts'

export const planTypes = ['free', 'basic', 'premium', 'enterprise'] as const
export const usageEventTypes = [
  'file_uploaded',
  'pages_measured',
  'ai_processed',
  'file_deleted',
  'file_restored',
] as const

/** Monthly, per account; null = unlimited. */
export const subscriptionPlans = pgTable(
  'subscription_plans',
  {
    planType: text({ enum: planTypes }).primaryKey(),
    displayName: text().notNull(),
    shellFilesLimit: integer(),
    pagesLimit: integer(),
    aiTokensLimit: bigint({ mode: 'number' }),
    storageMbLimit: integer(),
    monthlyPrice: numeric({ precision: 8, scale: 2 }).notNull(),
    sortOrder: smallint().notNull(),
  },
  () => [check('subscription_plans_plan_type_check', oneOf('plan_type', planTypes))],
).enableRLS()

/** Which plan an account had, has and will have, from when to when; no row = free. Periods never overlap. */
export const accountSubscriptions = pgTable(
  'account_subscriptions',
  {
    id: id(),
    accountId: uuid()
      .notNull()
      .references(() => authUsers.id, { onDelete: 'restrict' }),
    planType: text({ enum: planTypes })
      .notNull()
      .references(() => subscriptionPlans.planType),
    effectiveFrom: createdAt(),
    effectiveTo: at(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex('account_subscriptions_current_idx')
      .on(table.accountId)
      .where(sql`effective_to is null`),
    check('account_subscriptions_dates_check', sql`effective_to >= effective_from`),
  ],
).enableRLS()

/** Append-only ledger. `source_id` is what was used (a shell file, a job and stage): a replay finds its row and adds nothing. */
export const usageEvents = pgTable(
  'usage_events',
  {
    id: id(),
    accountId: uuid().notNull(),
    profileId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    eventType: text({ enum: usageEventTypes }).notNull(),
    sourceId: text().notNull(),
    shellFiles: integer().notNull().default(0),
    pages: integer().notNull().default(0),
    aiTokens: bigint({ mode: 'number' }).notNull().default(0),
    aiSeconds: integer().notNull().default(0),
    /** Signed: deletions give storage back. */
    storageBytes: bigint({ mode: 'number' }).notNull().default(0),
    cycleStart: date({ mode: 'string' }).notNull(),
    occurredAt: createdAt(),
  },
  (table) => [
    uniqueIndex('usage_events_source_key').on(table.eventType, table.sourceId),
    index('usage_events_account_cycle_idx').on(table.accountId, table.cycleStart),
    check('usage_events_type_check', oneOf('event_type', usageEventTypes)),
  ],
).enableRLS()

/** Counters per account, cycle and profile, kept by the ledger's trigger and equal to it. Storage is a gauge: summed over all cycles. */
export const userUsageTracking = pgTable(
  'user_usage_tracking',
  {
    accountId: uuid().notNull(),
    profileId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    cycleStart: date({ mode: 'string' }).notNull(),
    shellFiles: integer().notNull().default(0),
    pages: integer().notNull().default(0),
    aiTokens: bigint({ mode: 'number' }).notNull().default(0),
    aiSeconds: bigint({ mode: 'number' }).notNull().default(0),
    storageBytes: bigint({ mode: 'number' }).notNull().default(0),
    updatedAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'user_usage_tracking_pkey', columns: [table.accountId, table.cycleStart, table.profileId] }),
  ],
).enableRLS()

export const idempotencyStatuses = ['in_progress', 'completed'] as const

/** Scope: account + profile + key. The answer is replayed for at least 24 h. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    accountId: uuid().notNull(),
    profileId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'cascade' }),
    idempotencyKey: text().notNull(),
    /** sha256 of content and fields; null until the first attempt has read its body. */
    requestHash: text(),
    status: text({ enum: idempotencyStatuses }).notNull().default('in_progress'),
    /** An attempt that died holds the key until then, not for ever. */
    lockedUntil: at().notNull(),
    attemptToken: uuid().notNull(),
    responseStatus: smallint(),
    responseBody: jsonb(),
    shellFileId: uuid(),
    createdAt: createdAt(),
    expiresAt: at().notNull(),
  },
  (table) => [
    primaryKey({ name: 'idempotency_keys_pkey', columns: [table.accountId, table.profileId, table.idempotencyKey] }),
    index('idempotency_keys_expires_idx').on(table.expiresAt),
    check('idempotency_keys_status_check', oneOf('status', idempotencyStatuses)),
    check('idempotency_keys_length_check', sql`length(idempotency_key) between 1 and 255`),
  ],
).enableRLS()
