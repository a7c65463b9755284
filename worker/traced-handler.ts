import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { Attributes, Span } from '@opentelemetry/api'
import { uploadedFile } from '../jobs/trace-names.ts'
import { AppError } from '../platform/errors.ts'
import type { Tracing } from '../platform/tracing.ts'
import type { ClaimedJob, Handler, Outcome, RunContext } from './engine/handler.ts'

/** The same handler, telling of each attempt, of the outside calls within it and of the writing of its results. */
export function traceHandler(handler: Handler, tracing: Tracing): Handler {
  return {
    job: handler.job,
    run: async (payload, context) => {
      const { job } = context
      const correlationId = job.correlationId ?? job.id
      const attempt = tracing.start(
        `attempt ${job.type}`,
        {
          kind: SpanKind.CONSUMER,
          correlationId,
          within: job.shellFileId === null ? null : uploadedFile(job.shellFileId),
        },
        attributesOf(job),
      )
      const begin: Begin = (name, kind, attributes) =>
        tracing.start(name, { kind, correlationId, within: attempt }, attributes)
      return await measured(attempt, async () => {
        const outcome = await handler.run(payload, { ...context, withCapacity: tracedCalls(context, begin) })
        attempt.setAttributes(outcomeOf(outcome))
        return outcome.kind === 'done' ? tracedCommit(outcome, begin) : outcome
      })
    },
  }
}

type Begin = (name: string, kind: SpanKind, attributes: Attributes) => Span

const attributesOf = (job: ClaimedJob): Attributes => ({
  'exora.job_id': job.id,
  'exora.job_type': job.type,
  'exora.lane': job.lane,
  'exora.attempt': job.attempt,
  ...(job.shellFileId === null ? {} : { 'exora.shell_file_id': job.shellFileId }),
})

const outcomeOf = (outcome: Outcome): Attributes => ({
  'exora.outcome': outcome.kind,
  ...('error' in outcome ? { 'error.type': outcome.error.code } : {}),
})

function tracedCalls(context: RunContext, begin: Begin): RunContext['withCapacity'] {
  return (request, call) =>
    context.withCapacity(request, async () => {
      const { provider, endpoint } = request
      const span = begin(`call ${provider}`, SpanKind.CLIENT, { 'exora.provider': provider, 'exora.model': endpoint })
      return await measured(span, async () => {
        const answer = await call()
        if (answer.tokensUsed !== undefined) span.setAttribute('exora.tokens', answer.tokensUsed)
        return answer
      })
    })
}

function tracedCommit(outcome: Extract<Outcome, { kind: 'done' }>, begin: Begin): Outcome {
  const { commit } = outcome
  if (commit === undefined) return outcome
  return { kind: 'done', commit: (tx) => measured(begin('write results', SpanKind.INTERNAL, {}), () => commit(tx)) }
}

async function measured<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // The code alone: messages may quote what they were given.
    span.setAttribute('error.type', error instanceof AppError ? error.code : 'internal_error')
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}
