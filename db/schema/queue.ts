import { sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  smallint,
  text,
  uniqueIndex,
  uuid,
  bigint,
  boolean,
  doublePrecision,
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
      .on(table.jobLane, table.priority.desc(), table.scheduledAt, table.id)
      .where(sql`status = 'pending'`),
    index('job_queue_lease_idx')
      .on(table.leaseExpiresAt)
      .where(sql`status = 'processing'`),
    index('job_queue_patient_running_idx')
      .on(table.patientId)
      .where(sql`status = 'processing'`),
    index('job_queue_file_idx').on(table.shellFileId),
    index('job_queue_finished_idx')
      .on(table.completedAt)
      .where(sql`status in ('completed', 'cancelled')`),
    index('job_queue_dead_letter_idx')
      .on(table.deadLetterAt)
      .where(sql`status = 'dead_letter'`),
    uniqueIndex('job_queue_idempotency_key').on(table.idempotencyKey),
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

/** Registry of worker processes; a row is one process start. */
export const workers = pgTable(
  'workers',
  {
    id: text().primaryKey(),
    host: text().notNull(),
    pid: integer().notNull(),
    lanes: text().array().notNull(),
    concurrency: integer().notNull(),
    running: integer().notNull().default(0),
    version: text().notNull(),
    isStopping: boolean().notNull().default(false),
    startedAt: createdAt(),
    lastSeenAt: createdAt(),
  },
  (table) => [index('workers_last_seen_idx').on(table.lastSeenAt)],
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
    isActive: boolean().notNull().default(true),
    /** What the buckets hold, as of `refilledAt`; refilled continuously by elapsed time. */
    requestsAvailable: doublePrecision('requests_available').notNull().default(0),
    tokensAvailable: doublePrecision('tokens_available').notNull().default(0),
    refilledAt: createdAt(),
    /** Set by a provider's 429 or Retry-After; every worker waits until then. */
    blockedUntil: at(),
    updatedAt: createdAt(),
  },
  (table) => [uniqueIndex('api_rate_limits_endpoint_key').on(table.providerName, table.apiEndpoint)],
).enableRLS()

export const apiCapacityReservations = pgTable(
  'api_capacity_reservations',
  {
    id: id(),
    rateLimitId: uuid()
      .notNull()
      .references(() => apiRateLimits.id, { onDelete: 'cascade' }),
    jobId: uuid(),
    workerId: text(),
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
  ],
).enableRLS()

export type JobRow = typeof jobQueue.$inferSelect
