import { claimAlertDeliveries, evaluateAlerts, finishAlertDelivery } from '../db/queries/alerts.ts'
import type { AlertChange, AlertDelivery } from '../db/queries/alerts.ts'
import type { Logger } from '../platform/log.ts'
import { postWebhook } from '../platform/webhook.ts'
import type { WebhookConfig } from '../platform/webhook.ts'
import type { Schedule, ScheduleDeps } from './engine/schedule.ts'

export type AlertingDeps = {
  readonly log: Logger
  /** Null: alerts go to log and operators alone. */
  readonly webhook: WebhookConfig | null
  readonly environment: string
}

// Those that could not be told come again with the next run, so a receiver that is away holds up one call of a run.
const deliveriesPerRun = 10

/** Evaluates what is promised, and says what has changed: to the log, to operators (in the database), to the webhook. */
export const createAlertingSchedule = (deps: AlertingDeps): Schedule => ({
  name: 'evaluate_slos',
  slots: { everySeconds: 60 },
  run: async (run) => {
    for (const change of await run.inService(evaluateAlerts)) report(change, deps.log)
    if (deps.webhook !== null) await deliver(run, deps.webhook, deps)
  },
})

function report({ alertId, slo, lane, state, value, goal }: AlertChange, log: Logger): void {
  const fields = { event: 'slo', slo, lane, state, value, goal, alert_id: alertId }
  if (state === 'firing') log.error(fields, 'a service level is missed')
  else log.warn(fields, 'a service level is kept again')
}

/** No transaction is open while the receiver is asked: it may take its time, or never answer. */
async function deliver({ inService, signal }: ScheduleDeps, webhook: WebhookConfig, deps: AlertingDeps): Promise<void> {
  for (let told = 0; told < deliveriesPerRun && !signal.aborted; told += 1) {
    const [delivery] = await inService((tx) => claimAlertDeliveries(tx, 1))
    if (delivery === undefined) return
    const errorCode = await postAlert(webhook, delivery, { environment: deps.environment, signal })
    await inService((tx) => finishAlertDelivery(tx, delivery, errorCode))
    if (errorCode === null) continue
    const { alertId, attempts } = delivery
    deps.log.warn({ event: 'webhook', alert_id: alertId, attempts, code: errorCode }, 'an alert could not be delivered')
    return
  }
}

/** Tells one alert, once. */
export async function postAlert(
  config: WebhookConfig,
  delivery: AlertDelivery,
  context: { readonly environment: string; readonly signal: AbortSignal },
): Promise<string | null> {
  const body = {
    alert_id: delivery.alertId,
    state: delivery.state,
    slo: delivery.slo,
    lane: delivery.lane,
    value: delivery.value,
    goal: delivery.goal,
    occurred_at: delivery.occurredAt,
    environment: context.environment,
  }
  const { signal } = context
  return await postWebhook(config, { id: `${delivery.alertId}.${delivery.state}`, body }, signal).catch((error) => {
    if (signal.aborted) return 'worker_stopping'
    throw error
  })
}
