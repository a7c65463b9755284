import { AppError } from '../platform/errors.ts'
import type { Metrics } from '../platform/telemetry.ts'
import { aiMisconfigured, aiQuotaSpent } from './providers/ai/provider.ts'
import type { Answered, Handler, RunContext } from './engine/handler.ts'

export type CallMetrics = ReturnType<typeof createCallMetrics>

/** `model` is the endpoint that limits are set for: a model's name, or the service's own word where there are no models. */
export function createCallMetrics(metrics: Metrics) {
  const labels = ['provider', 'model'] as const
  return {
    calls: metrics.counter('exora_provider_calls_total', 'Calls of outside services, by how they ended.', [
      ...labels,
      'outcome',
    ]),
    took: metrics.histogram('exora_provider_call_seconds', 'Time of a call, without waiting for capacity.', labels),
    tokens: metrics.counter('exora_provider_tokens_total', 'Tokens used, as the services say.', labels),
    cost: metrics.counter(
      'exora_provider_cost_usd_total',
      'Cost of calls whose price is known, in US dollars.',
      labels,
    ),
  }
}

/** The same handler, counting what it asks of outside services. */
export function meterCalls(handler: Handler, metrics: CallMetrics): Handler {
  return {
    job: handler.job,
    run: (payload, context) => handler.run(payload, { ...context, withCapacity: meteredCalls(context, metrics) }),
  }
}

function meteredCalls(context: RunContext, metrics: CallMetrics): RunContext['withCapacity'] {
  return (request, call) => {
    const labels = { provider: request.provider, model: request.endpoint }
    return context.withCapacity(request, async () => {
      const startedAt = performance.now()
      try {
        const answer = await call()
        count(answer, labels, metrics)
        return answer
      } catch (error) {
        metrics.calls.inc({ ...labels, outcome: outcomeOf(error) })
        throw error
      } finally {
        metrics.took.observe(labels, (performance.now() - startedAt) / 1000)
      }
    })
  }
}

function count(answer: Answered<unknown>, labels: { provider: string; model: string }, metrics: CallMetrics): void {
  metrics.calls.inc({ ...labels, outcome: 'answered' })
  if (answer.tokensUsed !== undefined) metrics.tokens.inc(labels, answer.tokensUsed)
  if (typeof answer.costUsd === 'number') metrics.cost.inc(labels, answer.costUsd)
}

/** `closed`: no call will be answered until an operator does something: a wrong key or model, a spent budget. */
function outcomeOf(error: unknown): 'busy' | 'closed' | 'failed' {
  if (aiMisconfigured.matches(error) || aiQuotaSpent.matches(error)) return 'closed'
  return error instanceof AppError && (error.status === 429 || error.retryAfterMs !== null) ? 'busy' : 'failed'
}
