import { sql } from 'drizzle-orm'
import {
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
  time,
  uniqueIndex,
  uuid,
  bigint,
  boolean,
} from 'drizzle-orm/pg-core'
import { at, correlationId, createdAt, id, oneOf } from './columns.ts'

export const jobStatuses = ['pending', 'processing', 'completed', 'failed', 'dead_letter', 'cancelled'] as const
export const jobLanes = ['fast_queue', 'ai_queue', 'background'] as const
export const jobCategories = ['critical', 'high_priority', 'standard', 'background', 'maintenance'] as const
export type JobLane = (typeof jobLanes)[number]

/** What may be enqueued: the lane, the payload's keys and the limits of each job type, as data for `enqueue_job_v3`. */
export const jobTypes = pgTable(
  'job_types',
  {
    jobType: text().primaryKey(),
    jobLane: text({ enum: jobLanes }).notNull(),
    requiredKeys: text().array().notNull(),
    maxRetries: smallint().notNull(),
    timeoutSeconds: integer().notNull(),
    description: text().notNull(),
  },
  () => [check('job_types_lane_check', oneOf('job_lane', jobLanes))],
).enableRLS()

/** The only thing that coordinates server and workers. No foreign keys: it is the hottest table, and jobs outlive their files. */
export const jobQueue = pgTable(
  'job_queue',
  {
    id: id(),
    jobType: text().notNull(),
    jobLane: text({ enum: jobLanes }).notNull(),
    jobCategory: text({ enum: jobCategories }).notNull().default('standard'),
    jobName: text().notNull(),
    /** Ids only, never content. */
    jobPayload: jsonb().notNull(),
    status: text({ enum: jobStatuses }).notNull().default('pending'),
    /** 10 is most urgent. */
    priority: smallint().notNull().default(5),
    scheduledAt: createdAt(),
    startedAt: at(),
    completedAt: at(),
    heartbeatAt: at(),
    leaseExpiresAt: at(),
    workerId: text(),
    /** New on every claim: what a worker must show to write anything for this attempt. */
    attemptToken: uuid(),
    retryCount: smallint().notNull().default(0),
    maxRetries: smallint().notNull().default(6),
    deferCount: integer().notNull().default(0),
    /** How often an operator has taken it back from the dead letters. */
    replayCount: smallint().notNull().default(0),
    /**
     * Place of the job in its patient's own line: all first jobs go before all second ones (see `enqueue_job_v3`). Null
     * for a job that is scheduled for later: it gets its place when it is due.
     */
    fairTurn: integer().default(0),
    errorDetails: jsonb(),
    deadLetterAt: at(),
    jobResult: jsonb(),
    idempotencyKey: text(),
    patientId: uuid(),
    shellFileId: uuid(),
    initiatedBy: uuid(),
    correlationId: correlationId(),
    createdAt: createdAt(),
  },
  (table) => [
    index('job_queue_claim_idx')
      .on(table.jobLane, table.priority.desc().nullsFirst(), table.fairTurn, table.scheduledAt, table.id)
      .where(sql`status = 'pending' and fair_turn is not null`),
    index('job_queue_scheduled_idx')
      .on(table.jobLane, table.scheduledAt)
      .where(sql`status = 'pending' and fair_turn is null`),
    index('job_queue_lease_idx')
      .on(table.leaseExpiresAt)
      .where(sql`status = 'processing'`),
    index('job_queue_turn_idx')
      .on(table.patientId, table.jobLane, table.priority, table.fairTurn)
      .where(sql`status = 'pending' and patient_id is not null`),
    index('job_queue_file_idx')
      .on(table.shellFileId)
      .where(sql`shell_file_id is not null`),
    index('job_queue_finished_idx')
      .on(table.completedAt)
      .where(sql`status in ('completed', 'cancelled')`),
    index('job_queue_dead_letter_idx')
      .on(table.deadLetterAt)
      .where(sql`status = 'dead_letter'`),
    uniqueIndex('job_queue_idempotency_key')
      .on(table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    check('job_queue_status_check', oneOf('status', jobStatuses)),
    check('job_queue_lane_check', oneOf('job_lane', jobLanes)),
    check('job_queue_category_check', oneOf('job_category', jobCategories)),
    check('job_queue_priority_check', sql`priority between 1 and 10`),
    check(
      'job_queue_lease_check',
      sql`(status = 'processing') = (worker_id is not null and attempt_token is not null and lease_expires_at is not null)`,
    ),
  ],
).enableRLS()

/** Where operators hold the claims of a whole lane: one row a lane. */
export const jobLaneStates = pgTable(
  'job_lanes',
  {
    jobLane: text({ enum: jobLanes }).primaryKey(),
    /** Set: nothing of this lane is claimed; what runs goes on. */
    pausedAt: at(),
    /** The operator's account; null where it was the owner of the database. */
    pausedBy: uuid(),
    pauseReason: text(),
  },
  () => [
    check('job_lanes_lane_check', oneOf('job_lane', jobLanes)),
    check('job_lanes_reason_check', sql`length(pause_reason) <= 200`),
    check('job_lanes_pause_check', sql`paused_at is not null or (paused_by is null and pause_reason is null)`),
  ],
).enableRLS()

/** Registry of worker processes; a row is one process start. */
export const workers = pgTable(
  'workers',
  {
    id: text().primaryKey(),
    host: text().notNull(),
    pid: integer().notNull(),
    lanes: text().array().notNull(),
    /** What it has handlers for; null: not said, which counts as everything. */
    jobTypes: text().array(),
    concurrency: integer().notNull(),
    running: integer().notNull().default(0),
    version: text().notNull(),
    isStopping: boolean().notNull().default(false),
    startedAt: createdAt(),
    lastSeenAt: createdAt(),
  },
  (table) => [index('workers_last_seen_idx').on(table.lastSeenAt)],
).enableRLS()

/** What becomes of slots that passed while nobody could begin them: see `begin_due_slots`. */
export const catchUpPolicies = ['latest', 'each', 'skip'] as const
export type CatchUpPolicy = (typeof catchUpPolicies)[number]

/** Recurring work, as the workers' code has it, and how its last run went. A slot that begins is a job. */
export const jobSchedules = pgTable(
  'job_schedules',
  {
    scheduleName: text().primaryKey(),
    /** A slot each so many seconds since 1970, or … */
    everySeconds: integer(),
    /** … one a day at this time of that zone. */
    dailyAt: time(),
    timeZone: text(),
    catchUp: text({ enum: catchUpPolicies }).notNull().default('latest'),
    /** `each`: so many of the newest missed slots are run. */
    maxMissed: integer(),
    /** `skip`: a slot begins at most so long after its time. */
    graceSeconds: integer(),
    /** Earlier slots do not count: set when the rule changes, so that it is not two runs in a day. */
    slotsFrom: at(),
    lastSlotAt: at(),
    /** The job of that slot. No foreign key: finished jobs leave. */
    lastJobId: uuid(),
    lastFinishedAt: at(),
    lastDurationMs: integer(),
    /** Code of the error that the last run ended with. */
    lastErrorCode: text(),
    nextSlotAt: at(),
    /** When a worker started that does not know it any more. */
    removedAt: at(),
  },
  () => [
    check('job_schedules_catch_up_check', oneOf('catch_up', catchUpPolicies)),
    check(
      'job_schedules_rule_check',
      sql`num_nonnulls(every_seconds, daily_at) = 1 and (daily_at is null) = (time_zone is null) and every_seconds > 0`,
    ),
    check('job_schedules_max_missed_check', sql`(catch_up = 'each') = (max_missed is not null) and max_missed > 0`),
    check('job_schedules_grace_check', sql`(catch_up = 'skip') = (grace_seconds is not null) and grace_seconds >= 0`),
  ],
).enableRLS()

/** Limits of outside services, as data: changed by operators, followed by all workers within seconds. */
export const apiRateLimits = pgTable(
  'api_rate_limits',
  {
    id: id(),
    providerName: text().notNull(),
    apiEndpoint: text().notNull(),
    requestsPerMinute: integer(),
    tokensPerMinute: integer(),
    concurrentRequests: integer(),
    /** In what time the limits of a minute are kept: 1000 turns 600 a minute into 10 in any second. */
    windowMs: integer().notNull().default(60_000),
    requestsPerDay: integer(),
    tokensPerDay: bigint({ mode: 'number' }),
    budgetUsdPerDay: numeric({ precision: 12, scale: 2 }),
    /** What the provider itself said last; the smaller of the two counts. */
    reportedRequestsPerMinute: integer(),
    reportedTokensPerMinute: integer(),
    /** A report counts for an hour: an account that may do more recovers by itself. */
    reportedAt: at(),
    /** False switches the endpoint off for the whole fleet. */
    isActive: boolean().notNull().default(true),
    /** Set by a provider's 429 or Retry-After; every worker waits until then. */
    blockedUntil: at(),
    /** How far turns have been given to callers that were refused: the slot, and how much of what leaves with it. */
    lineSlot: bigint({ mode: 'number' }).notNull().default(0),
    lineRequests: bigint({ mode: 'number' }).notNull().default(0),
    lineTokens: bigint({ mode: 'number' }).notNull().default(0),
    updatedAt: createdAt(),
  },
  (table) => [
    uniqueIndex('api_rate_limits_endpoint_key').on(table.providerName, table.apiEndpoint),
    check('api_rate_limits_window_check', sql`window_ms between 1000 and 60000`),
  ],
).enableRLS()

/** What a UTC day has used of an endpoint, for budgets and for the operators. */
export const apiDailyUse = pgTable(
  'api_daily_use',
  {
    rateLimitId: uuid()
      .notNull()
      .references(() => apiRateLimits.id, { onDelete: 'cascade' }),
    day: date().notNull(),
    requests: integer().notNull(),
    tokens: bigint({ mode: 'number' }).notNull(),
    costUsd: numeric({ precision: 14, scale: 6 }).notNull().default('0'),
  },
  (table) => [primaryKey({ name: 'api_daily_use_pkey', columns: [table.rateLimitId, table.day] })],
).enableRLS()

/** What was spent in each tenth of a second of the last minute: a sliding window, so that no minute ever holds more than the limit. */
export const apiUsageSlots = pgTable(
  'api_usage_slots',
  {
    rateLimitId: uuid()
      .notNull()
      .references(() => apiRateLimits.id, { onDelete: 'cascade' }),
    /** Tenths of a second since 1970. */
    slot: bigint({ mode: 'number' }).notNull(),
    requests: integer().notNull(),
    tokens: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ name: 'api_usage_slots_pkey', columns: [table.rateLimitId, table.slot] })],
).enableRLS()

/** One outside call that is allowed and not yet over. It ends by release or with the lease of its job. */
export const apiCapacityReservations = pgTable(
  'api_capacity_reservations',
  {
    id: id(),
    rateLimitId: uuid()
      .notNull()
      .references(() => apiRateLimits.id, { onDelete: 'cascade' }),
    jobId: uuid(),
    workerId: text(),
    slot: bigint({ mode: 'number' }).notNull(),
    estimatedTokens: bigint({ mode: 'number' }).notNull(),
    actualTokens: bigint({ mode: 'number' }),
    acquiredAt: createdAt(),
    expiresAt: at().notNull(),
    releasedAt: at(),
  },
  (table) => [
    index('api_capacity_reservations_live_idx')
      .on(table.rateLimitId, table.expiresAt)
      .where(sql`released_at is null`),
    index('api_capacity_reservations_job_idx')
      .on(table.jobId)
      .where(sql`released_at is null`),
  ],
).enableRLS()

export type JobRow = typeof jobQueue.$inferSelect
