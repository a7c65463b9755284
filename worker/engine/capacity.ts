import { asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { acquireCapacity, recordProviderLimits, releaseCapacity, returnCapacity } from '../../db/queries/capacity.ts'
import type { Endpoint, Grant } from '../../db/queries/capacity.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { createCapacityLine } from './capacity-line.ts'
import type { CapacityLine } from './capacity-line.ts'
import { SnoozeSignal } from './errors.ts'
import type { Answered, CapacityRequest, ClaimedJob, SaidLimits } from './handler.ts'
import { createSaidLimits } from './said-limits.ts'
import { serviceContextOf } from './settle.ts'

// Longer waits give the slot to somebody else.
const maxWaitInPlaceMs = 2_000
// A 429 that does not say how long.
const defaultPauseMs = 5_000
// The window leaves 600 ms between a grant and its call; the rest is for the way to the provider.
const freshMs = 400

export type Capacity = {
  /** One outside call within the limits of the fleet. */
  call<T>(request: CapacityRequest, call: () => Promise<Answered<T>>, run: CallRun): Promise<T>
  /** How many jobs that call this endpoint it makes sense to run here, as far as callers were told. */
  usefulJobs(endpoint: Endpoint): number
  /** Limits or pauses of the endpoint were changed: who asks now may hear something else. */
  forget(endpoint: Endpoint): void
  /** Resolves when what was used has been written down. */
  whenSettled(): Promise<void>
}

export type CallRun = { readonly job: ClaimedJob; readonly signal: AbortSignal; readonly log: Logger }

export type CapacityDeps = {
  readonly db: Database
  readonly workerId: string
  /** `usefulJobs` has become another. */
  readonly onChange: () => void
}

export function createCapacity(deps: CapacityDeps): Capacity {
  const lines = new Map<string, CapacityLine>()
  const said = createSaidLimits()
  const giving = new Set<Promise<void>>()

  function lineOf({ provider, endpoint }: Endpoint): CapacityLine {
    const key = `${provider}/${endpoint}`
    const known = lines.get(key) ?? createCapacityLine(deps.onChange)
    lines.set(key, known)
    return known
  }

  /**
   * Whatever became of the job: the call is over, and its room is others'. The answer does not wait for it. If it cannot
   * be said now, the reservation ends with the job; the answer that was paid for is worth more.
   */
  function giveBack(given: Given, { job, log }: CallRun): void {
    const { request, reservationId, used } = given
    const work = asService(deps.db, serviceContextOf(job), async (tx) => {
      // The endpoint's row first, as whoever asks has it: the other way round the two would wait for each other.
      const news = said.newsOf(request, used?.said ?? null)
      if (news !== null) await recordProviderLimits(tx, request, news)
      await releaseCapacity(tx, {
        ...request,
        reservationId,
        actualTokens: used?.tokensUsed ?? null,
        costUsd: used?.costUsd ?? null,
      })
    })
      .catch((error: unknown) => log.warn({ error }, 'capacity was not released'))
      .finally(() => {
        giving.delete(work)
        lineOf(request).gaveBack()
      })
    giving.add(work)
  }

  async function ask(tx: Tx, request: CapacityRequest, job: ClaimedJob): Promise<Answer> {
    const { consent, ...wanted } = request
    if (consent !== null && !(await holdConsent(tx, consent))) return { kind: 'not_consented' }
    const askedAt = performance.now()
    const grant = await acquireCapacity(tx, { ...wanted, jobId: job.id, workerId: deps.workerId })
    return grant.kind === 'granted' ? { ...grant, askedAt } : grant
  }

  async function acquire(request: CapacityRequest, run: CallRun, line: CapacityLine): Promise<Granted> {
    const arrivedAt = performance.now()
    return await line.inTurn(async () => {
      await line.untilWorthAsking(arrivedAt, run.signal)
      for (;;) {
        run.signal.throwIfAborted()
        // A transaction of its own: the endpoint's row is locked until it ends.
        const answer = await asService(deps.db, serviceContextOf(run.job), (tx) => ask(tx, request, run.job))
        // The run made its plans when the consent held: it begins anew, at once, and makes others.
        if (answer.kind === 'not_consented') throw new SnoozeSignal(0, 'consent_withdrawn')
        if (answer.kind === 'granted') {
          line.granted()
          return answer
        }
        if (performance.now() - arrivedAt + answer.retryAfterMs > maxWaitInPlaceMs) {
          line.putOff(answer.retryAfterMs)
          throw putOff(answer)
        }
        const wakesOn = answer.by === 'at_once' || answer.by === 'tokens' ? 'giving_back' : 'time'
        await line.untilRoom(answer.retryAfterMs + Math.random() * 20, run.signal, wakesOn)
      }
    })
  }

  /** Asked for, and used soon enough: a process that was held up in between asks again. */
  async function acquireFresh(request: CapacityRequest, run: CallRun, line: CapacityLine): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const grant = await acquire(request, run, line)
      if (performance.now() - grant.askedAt - grant.waitedMs <= freshMs) return grant.reservationId
      await asService(deps.db, serviceContextOf(run.job), (tx) => returnCapacity(tx, grant.reservationId))
      if (tries === 3) throw new SnoozeSignal(spread(1_000), 'no_capacity')
    }
  }

  async function pauseIfAsked(error: unknown, request: CapacityRequest, { job }: CallRun): Promise<void> {
    const pauseMs = pauseOf(error)
    if (pauseMs === null) return
    await asService(deps.db, serviceContextOf(job), (tx) =>
      recordProviderLimits(tx, request, { retryAfterMs: pauseMs }),
    )
    throw new SnoozeSignal(spread(pauseMs), 'provider_busy')
  }

  return {
    usefulJobs: (endpoint) => lineOf(endpoint).usefulJobs,
    forget: (endpoint) => lineOf(endpoint).forget(),
    async whenSettled() {
      while (giving.size > 0) await Promise.allSettled(giving)
    },
    async call(request, call, run) {
      const line = lineOf(request)
      const leave = line.enter(run.job.id)
      try {
        const reservationId = await acquireFresh(request, run, line)
        const used = await call().catch(async (error: unknown) => {
          giveBack({ request, reservationId, used: null }, run)
          await pauseIfAsked(error, request, run)
          throw error
        })
        giveBack({ request, reservationId, used }, run)
        return used.value
      } finally {
        leave()
      }
    },
  }
}

type Granted = Extract<Grant, { kind: 'granted' }> & { readonly askedAt: number }
type Refused = Extract<Grant, { kind: 'refused' }>
type Answer = Granted | Refused | { readonly kind: 'not_consented' }

type Given = {
  readonly request: CapacityRequest
  readonly reservationId: string
  readonly used: {
    readonly tokensUsed?: number
    readonly costUsd?: number | null
    readonly said?: SaidLimits | null
  } | null
}

/** All are told the same. For a full minute that is when its room begins to return: the lines keep them apart then. */
function putOff({ by, retryAfterMs }: Refused): SnoozeSignal {
  const delayMs = by === 'requests' || by === 'tokens' ? retryAfterMs : spread(Math.max(retryAfterMs, 500))
  return new SnoozeSignal(delayMs, by === 'day' ? 'budget_spent' : 'no_capacity')
}

const spread = (delayMs: number) => Math.round(delayMs * (1 + Math.random() / 10) + Math.random() * 500)

/** How long the endpoint wants to be left alone, or null when the error says nothing of the kind. */
function pauseOf(error: unknown): number | null {
  if (!(error instanceof AppError)) return null
  if (error.status === 429) return error.retryAfterMs ?? defaultPauseMs
  return error.status === 503 ? error.retryAfterMs : null
}
