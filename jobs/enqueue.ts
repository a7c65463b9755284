import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../db/actor.ts'
import type { JobDefinition } from './job.ts'

export type EnqueueOptions = {
  /** 1 to 10; 10 is most urgent, 5 usual. */
  readonly priority?: number
  /** Not before then; at once when not given. */
  readonly scheduledAt?: Date
  readonly correlationId?: string
  readonly initiatedBy?: string
}

const enqueuedRow = z.object({ id: z.uuid() })

/** Adds a job in the caller's transaction: it exists if and only if what was written beside it does. */
export async function enqueue<Payload>(
  tx: Tx,
  job: JobDefinition<Payload>,
  payload: Payload,
  options: EnqueueOptions = {},
): Promise<string> {
  const parsed = job.payload.parse(payload)
  const [row] = await tx.execute(sql`
    select public.enqueue_job_v3(
      job_type => ${job.name},
      job_name => ${job.name},
      job_payload => ${JSON.stringify(parsed)}::text::jsonb,
      priority => ${options.priority ?? 5},
      scheduled_at => coalesce(${options.scheduledAt?.toISOString() ?? null}::timestamptz, now()),
      correlation_id => ${options.correlationId ?? null},
      initiated_by => ${options.initiatedBy ?? null}::uuid,
      idempotency_key => ${job.key?.(parsed) ?? null}
    ) as id`)
  return enqueuedRow.parse(row).id
}
