import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { at, createdAt, id, oneOf } from './columns.ts'
import { jobLanes } from './queue.ts'

/** `all` for what is not about one lane. */
export const sloLanes = [...jobLanes, 'all'] as const
export const alertStates = ['firing', 'resolved'] as const

/** What each service level was when last looked at, and how often in a row it was kept or missed. */
export const sloStates = pgTable(
  'slo_states',
  {
    slo: text().notNull(),
    jobLane: text({ enum: sloLanes }).notNull(),
    /** The slot of time that was evaluated last; each counts once, whoever evaluates it. */
    lastSlotAt: at().notNull(),
    value: numeric(),
    goal: numeric().notNull(),
    missedInRow: integer().notNull(),
    keptInRow: integer().notNull(),
  },
  (table) => [
    primaryKey({ name: 'slo_states_pkey', columns: [table.slo, table.jobLane] }),
    check('slo_states_lane_check', oneOf('job_lane', sloLanes)),
  ],
).enableRLS()

/** One row from when a service level was missed to when it was kept again. */
export const sloAlerts = pgTable(
  'slo_alerts',
  {
    id: id(),
    slo: text().notNull(),
    jobLane: text({ enum: sloLanes }).notNull(),
    /** When it fired. */
    value: numeric(),
    goal: numeric().notNull(),
    firedAt: createdAt(),
    resolvedAt: at(),
  },
  (table) => [
    uniqueIndex('slo_alerts_open_key')
      .on(table.slo, table.jobLane)
      .where(sql`resolved_at is null`),
    index('slo_alerts_resolved_idx')
      .on(table.resolvedAt)
      .where(sql`resolved_at is not null`),
    check('slo_alerts_lane_check', oneOf('job_lane', sloLanes)),
  ],
).enableRLS()

/** What the webhook is to be told: at least once, in order, for a day. */
export const sloAlertDeliveries = pgTable(
  'slo_alert_deliveries',
  {
    alertId: uuid().notNull(),
    alertState: text({ enum: alertStates }).notNull(),
    value: numeric(),
    goal: numeric().notNull(),
    occurredAt: createdAt(),
    attempts: smallint().notNull().default(0),
    nextAttemptAt: createdAt(),
    deliveredAt: at(),
    /** A word of a closed list, or an HTTP status. */
    lastErrorCode: text(),
  },
  (table) => [
    primaryKey({ name: 'slo_alert_deliveries_pkey', columns: [table.alertId, table.alertState] }),
    foreignKey({
      name: 'slo_alert_deliveries_alert_id_fkey',
      columns: [table.alertId],
      foreignColumns: [sloAlerts.id],
    }).onDelete('cascade'),
    index('slo_alert_deliveries_open_idx')
      .on(table.occurredAt)
      .where(sql`delivered_at is null`),
    check('slo_alert_deliveries_state_check', oneOf('alert_state', alertStates)),
  ],
).enableRLS()
