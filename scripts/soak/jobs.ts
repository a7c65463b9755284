import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { askAsService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { defineJob } from '../../jobs/job.ts'
import { defineError } from '../../platform/errors.ts'
import { discard, done, retry } from '../../worker/engine/handler.ts'
import type { Handler, Outcome, RunContext } from '../../worker/engine/handler.ts'
import { callProvider } from './provider-call.ts'

/** Each kind ends in a way of its own. All but `quick`, `hopeless` and `poison` leave one effect `result`. */
export const kinds = {
  soak_quick: 'fast_queue',
  soak_effect: 'fast_queue',
  soak_poison: 'fast_queue',
  soak_half: 'ai_queue',
  soak_call: 'ai_queue',
  soak_flaky: 'background',
  soak_hopeless: 'background',
} as const satisfies Readonly<Record<string, JobLane>>

export type Kind = keyof typeof kinds

export const endpoint = { provider: 'soak', endpoint: 'model' }

const soakFailure = defineError('soak_failure', 500, 'This try was meant to fail.')
const soakHopeless = defineError('soak_hopeless', 422, 'This job was meant to fail.')

const payload = z.object({
  /** How long it works. */
  ms: z.number(),
  /** How many of its attempts fail. */
  fails: z.number(),
  failsIn: z.enum(['run', 'commit', 'outcome']),
})
export type SoakPayload = z.infer<typeof payload>

export type SoakDeps = { readonly db: Database; readonly workerId: string; readonly providerUrl: string }

export function createSoakHandlers(deps: SoakDeps): readonly Handler<SoakPayload>[] {
  const runs: Readonly<Record<Kind, Handler<SoakPayload>['run']>> = {
    soak_quick: async () => done(),
    soak_effect: work,
    soak_poison: dieOfIt,
    soak_half: workInTwoSteps,
    soak_call: (_payload, context) => workByCalling(context, deps.providerUrl),
    soak_flaky: workWhenItIsTime,
    soak_hopeless: async () => discard(soakHopeless()),
  }
  return Object.entries(kinds).map(([name, lane]) => ({
    job: defineJob({ name, lane, payload, attempts: 7, timeoutMs: 30_000 }),
    run: async (given, context) => {
      await noteStart(deps, context)
      return await runs[kindOf(name)](given, context)
    },
  }))
}

/** In no transaction of the job's: it stays whatever becomes of the attempt. */
async function noteStart({ db, workerId }: SoakDeps, { job }: RunContext): Promise<void> {
  await askAsService(
    db,
    (ask) => ask`
      insert into soak.starts (job_id, attempt_token, worker_id) values (${job.id}, ${job.attemptToken}, ${workerId})`,
  )
}

const noteEffect = (tx: Tx, { job }: RunContext, kind: 'half' | 'result') =>
  tx.execute(
    sql`insert into soak.effects (job_id, attempt_token, kind) values (${job.id}, ${job.attemptToken}, ${kind})`,
  )

const doneWithEffect = (context: RunContext): Outcome =>
  done(async (tx) => {
    await noteEffect(tx, context, 'result')
    return { attempt: context.job.attempt }
  })

async function work({ ms }: SoakPayload, context: RunContext): Promise<Outcome> {
  if (ms > 0) await delay(ms, undefined, { signal: context.signal })
  return doneWithEffect(context)
}

async function workInTwoSteps({ ms }: SoakPayload, context: RunContext): Promise<Outcome> {
  await delay(ms / 2, undefined, { signal: context.signal })
  await context.write((tx) => noteEffect(tx, context, 'half'))
  await delay(ms / 2, undefined, { signal: context.signal })
  return doneWithEffect(context)
}

async function workByCalling(context: RunContext, providerUrl: string): Promise<Outcome> {
  await context.withCapacity({ ...endpoint, estimatedTokens: 100, consent: null }, () =>
    callProvider(providerUrl, context.signal),
  )
  return doneWithEffect(context)
}

async function workWhenItIsTime({ fails, failsIn }: SoakPayload, context: RunContext): Promise<Outcome> {
  if (context.job.attempt > fails) return doneWithEffect(context)
  if (failsIn === 'run') throw new Error('meant to fail')
  if (failsIn === 'outcome') return retry(soakFailure())
  return done(async (tx) => {
    await noteEffect(tx, context, 'result')
    throw soakFailure()
  })
}

async function dieOfIt(): Promise<Outcome> {
  process.kill(process.pid, 'SIGKILL')
  return await new Promise(() => {})
}

const isKind = (name: string): name is Kind => name in kinds

export function kindOf(name: string): Kind {
  if (!isKind(name)) throw new TypeError('not a kind of the soak')
  return name
}
