import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { askAsService, asService } from '../../db/actor.ts'
import { wait } from '../../platform/wait.ts'
import type { Kind, SoakPayload } from './jobs.ts'
import { isOutage, untilAnswered } from './place.ts'
import type { Place } from './place.ts'
import type { SoakPlan } from './plan.ts'
import type { Random } from './random.ts'

/** Whoever makes work: alone in a transaction, in bulk, with a key twice at once, and in transactions that come to nothing. */
export type Sender = {
  /** Until the time or the jobs of the plan are spent. */
  run(signal: AbortSignal): Promise<void>
  /** Of which the database has said that they are in. */
  readonly acknowledged: readonly string[]
  /** Of which it has said that they are not. */
  readonly takenBack: readonly string[]
}

type Wanted = {
  readonly kind: Kind
  readonly payload: SoakPayload
  readonly priority: number
  readonly delay_s: number
  readonly patient_id: string | null
  readonly key: string | null
  readonly max_retries: number
}

// Chaos spends retries of jobs that are not to blame; only poison must not live long.
const plentyOfRetries = 60
const retriesOfPoison = 1

export function createSender(place: Place, plan: SoakPlan, random: Random): Sender {
  const acknowledged: string[] = []
  const takenBack: string[] = []
  const patients = Array.from({ length: 12 }, () => randomUUID())
  const poisonAt = Array.from({ length: plan.poisonJobs }, (_, n) => (n + 0.5) / plan.poisonJobs)

  const ways: readonly (() => Promise<void>)[] = [sendOne, sendOne, sendBulk, sendTwice, sendTwice, takeBack]

  async function sendOne(): Promise<void> {
    const count = random.whole(1, 3)
    // What an unanswered commit did is in `soak.sends`, whatever is known here.
    const ids = await asService(place.db, {}, async (tx) => {
      const rows = await tx.execute(insertOf(Array.from({ length: count }, () => want())))
      return idsOf(rows)
    }).catch(unlessOutage)
    acknowledged.push(...(ids ?? []))
  }

  async function sendBulk(): Promise<void> {
    const jobs = Array.from({ length: random.whole(10, 60) }, () => want())
    acknowledged.push(...((await insert(jobs).catch(unlessOutage)) ?? []))
  }

  async function sendTwice(): Promise<void> {
    const job = { ...want(), key: randomUUID() }
    const sends = await Promise.all([untilAnswered(() => insert([job])), untilAnswered(() => insert([job]))])
    acknowledged.push(...new Set(sends.flat()))
  }

  async function takeBack(): Promise<void> {
    const changedMind = new Error('taken back')
    await asService(place.db, {}, async (tx) => {
      takenBack.push(...idsOf(await tx.execute(insertOf([want(), want()]))))
      throw changedMind
    }).catch((error: unknown) => (error === changedMind ? null : unlessOutage(error)))
  }

  async function insert(jobs: readonly Wanted[]): Promise<readonly string[]> {
    const rows = await askAsService(place.db, (ask) =>
      ask.unsafe(`${insertHead}$1${insertTail}`, [JSON.stringify(jobs)]),
    )
    return idsOf(rows)
  }

  function want(): Wanted {
    const kind = random.pick(mixture)
    return {
      kind,
      payload: {
        ms:
          kind === 'soak_effect'
            ? random.pick([0, 0, 0, 15])
            : random.pick([20, 50, 100, 200, 400, plan.leaseMs * 1.3]),
        fails: random.pick([1, 1, 2]),
        failsIn: random.pick(['run', 'commit', 'outcome'] as const),
      },
      priority: random.pick([1, 5, 5, 5, 8, 10]),
      delay_s: random.chance(0.1) ? random.between(0.3, 4) : 0,
      patient_id: random.chance(0.5) ? random.pick(patients) : null,
      key: null,
      max_retries: plentyOfRetries,
    }
  }

  const poison = (): Wanted => ({
    ...want(),
    kind: 'soak_poison',
    priority: 5,
    delay_s: 0,
    max_retries: retriesOfPoison,
  })

  async function alive(): Promise<number> {
    const [row] = await untilAnswered(() =>
      askAsService(
        place.db,
        (ask) =>
          ask<{ alive: number }[]>`
          select count(*)::int as alive from public.job_queue where status in ('pending', 'processing')`,
      ),
    )
    return row?.alive ?? 0
  }

  return {
    acknowledged,
    takenBack,
    async run(signal) {
      const startedAt = performance.now()
      const elapsedMs = () => performance.now() - startedAt
      const progress01 = () =>
        Math.max(elapsedMs() / plan.loadMs, plan.jobs === null ? 0 : acknowledged.length / plan.jobs)
      while (progress01() < 1 && !signal.aborted) {
        if ((poisonAt[0] ?? 1) < progress01() && poisonAt.shift() !== undefined)
          acknowledged.push(...(await untilAnswered(() => insert([{ ...poison(), key: randomUUID() }]))))
        await random.pick(ways)()
        const isAhead = () => acknowledged.length > (elapsedMs() / 1_000) * plan.jobsPerSecond
        while ((isAhead() || (await alive()) > plan.maxAlive) && progress01() < 1 && !signal.aborted) await wait(50)
      }
    },
  }
}

const mixture: readonly Kind[] = [
  ...Array.from({ length: 36 }, () => 'soak_quick' as const),
  ...Array.from({ length: 36 }, () => 'soak_effect' as const),
  ...Array.from({ length: 10 }, () => 'soak_half' as const),
  ...Array.from({ length: 7 }, () => 'soak_call' as const),
  ...Array.from({ length: 10 }, () => 'soak_flaky' as const),
  'soak_hopeless',
]

const unlessOutage = (error: unknown): null => {
  if (isOutage(error)) return null
  throw error
}

const insertHead = `
  with sent as materialized (
    select
      wanted.kind,
      wanted.key,
      now() + wanted.delay_s * interval '1 second' as due_at,
      public.enqueue_job_v3(
        job_type => wanted.kind,
        job_name => wanted.kind,
        job_payload => wanted.payload,
        priority => wanted.priority,
        scheduled_at => now() + wanted.delay_s * interval '1 second',
        patient_id => wanted.patient_id,
        idempotency_key => wanted.key,
        max_retries => wanted.max_retries
      ) as job_id
    from jsonb_to_recordset(`
const insertTail = `::text::jsonb) as wanted (
      kind text, payload jsonb, priority int, delay_s float8, patient_id uuid, key text, max_retries int
    )
  )
  insert into soak.sends (job_id, kind, key, due_at)
  select sent.job_id, sent.kind, sent.key, sent.due_at
  from sent
  returning job_id as id`

const insertOf = (jobs: readonly Wanted[]) => sql`${sql.raw(insertHead)}${JSON.stringify(jobs)}${sql.raw(insertTail)}`

const idRow = z.object({ id: z.string() })
const idsOf = (rows: readonly unknown[]) => rows.map((row) => idRow.parse(row).id)
