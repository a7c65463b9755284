import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { planTypes } from '../schema/usage.ts'

/** At once, or when the account's month is over. */
export const planChangeTimes = ['now', 'next_cycle'] as const

export type PlanChange = {
  readonly accountId: string
  readonly planType: (typeof planTypes)[number]
  readonly when: (typeof planChangeTimes)[number]
}

const periodRow = z
  .object({ plan_type: z.enum(planTypes), effective_from: z.coerce.date() })
  .transform((row) => ({ planType: row.plan_type, effectiveFrom: row.effective_from }))

export type PlanPeriod = z.infer<typeof periodRow>

/** For operators; what was scheduled for later is replaced. Gives the period in which the plan holds. */
export async function schedulePlanChange(tx: Tx, change: PlanChange): Promise<PlanPeriod> {
  const [row] = await tx.execute(sql`
    select period.plan_type, period.effective_from
    from public.schedule_plan_change(${change.accountId}::uuid, ${change.planType}, ${change.when}) as period`)
  return periodRow.parse(row)
}
