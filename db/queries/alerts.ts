import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { alertStates, sloLanes } from '../schema/slos.ts'

const alertRow = z
  .object({
    alert_id: z.string(),
    alert_state: z.enum(alertStates),
    slo: z.string(),
    job_lane: z.enum(sloLanes),
    value: z.number().nullable(),
    goal: z.number(),
  })
  .transform((row) => ({
    alertId: row.alert_id,
    state: row.alert_state,
    slo: row.slo,
    lane: row.job_lane,
    value: row.value,
    goal: row.goal,
  }))

export type AlertChange = z.infer<typeof alertRow>

/** Each minute counts once, whoever asks first; returns what fired or was resolved by this very call. */
export async function evaluateAlerts(tx: Tx): Promise<readonly AlertChange[]> {
  const rows = await tx.execute(sql`
    select alert_id, alert_state, slo, job_lane, value::float8, goal::float8 from public.evaluate_alerts()`)
  return rows.map((row) => alertRow.parse(row))
}

const deliveryRow = z.object({ occurred_at: z.string(), attempts: z.number() })

export type AlertDelivery = AlertChange & { readonly occurredAt: string; readonly attempts: number }

/** What the webhook is to be told now; nobody else is given it for two minutes. */
export async function claimAlertDeliveries(tx: Tx, limit: number): Promise<readonly AlertDelivery[]> {
  const rows = await tx.execute(sql`
    select
      alert_id, alert_state, slo, job_lane, value::float8, goal::float8, attempts,
      to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at
    from public.claim_alert_deliveries(${limit})`)
  return rows.map((row) => {
    const { occurred_at: occurredAt, attempts } = deliveryRow.parse(row)
    return { ...alertRow.parse(row), occurredAt, attempts }
  })
}

/** `errorCode` null: it has been taken. */
export async function finishAlertDelivery(
  tx: Tx,
  delivery: Pick<AlertDelivery, 'alertId' | 'state'>,
  errorCode: string | null,
): Promise<void> {
  await tx.execute(sql`
    select public.finish_alert_delivery(${delivery.alertId}, ${delivery.state}, ${errorCode})`)
}
