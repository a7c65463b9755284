/**
 * Eight worker processes beside a provider that enforces its limits to the letter: how much of them is used, is anything
 * ever above them, and what is left of the calls of workers that are killed in the middle.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { startEmbedded } from '../db/embedded/start.ts'
import { migrate } from '../db/migrate.ts'
import { benchEndpoint } from './capacity/endpoint.ts'
import { plotUse } from './capacity/plot.ts'
import { startStrictProvider } from './capacity/provider.ts'
import type { StrictProvider } from './capacity/provider.ts'
import { best, mean, mostInAnyMinute, useOverTime, worst } from './capacity/use.ts'

const perMinute = 500
const atOnce = 50
const workers = 8
const steadyMs = 125_000
const leaseMs = 10_000
const jobs = 6_000

export async function measureCapacity() {
  const dataDir = await mkdtemp(join(tmpdir(), 'exora-bench-'))
  const embedded = await startEmbedded({ dataDir })
  const provider = await startStrictProvider({ perMinute, atOnce, answersInMs: [200, 600] })
  const fleet: ChildProcess[] = []
  const owner = postgres(embedded.urls.owner, { max: 2, onnotice: () => {} })
  try {
    await migrate(embedded.urls.owner)
    await prepare(owner)
    fleet.push(...(await startFleet(embedded.urls.app, provider.url)))
    await delay(steadyMs)
    await untilSomeAreHeld(owner)
    const steadyEndMs = provider.nowMs()
    const asked = await questionsSoFar(owner)
    const servedThen = provider.served.length
    const killed = fleet.slice(0, workers / 2)
    for (const worker of killed) worker.kill('SIGKILL')
    const killedAtMs = provider.nowMs()
    const names = killed.map(({ pid }) => `bench-${pid}`)
    const held = await countHeld(owner, names)
    // Their jobs are rescued within a third of the lease after it has run out.
    await delay(leaseMs * 1.5)
    const leaked = await countHeld(owner, names)
    await delay(60_000)
    const [put] = await owner`select sum(defer_count)::int as off from public.job_queue`
    const run = { provider, steadyEndMs, killedAtMs, held, leaked, asked, servedThen, putOff: put?.['off'] }
    return await report(run)
  } finally {
    for (const worker of fleet) worker.kill('SIGKILL')
    provider.close()
    await owner.end({ timeout: 5 })
    await embedded.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function prepare(owner: postgres.Sql): Promise<void> {
  await countQuestions(owner)
  await owner`
    insert into public.api_rate_limits (provider_name, api_endpoint, requests_per_minute, concurrent_requests)
    values (${benchEndpoint.provider}, ${benchEndpoint.endpoint}, ${perMinute}, ${atOnce})`
  await owner.begin(async (tx) => {
    await tx`set local role service_role`
    await tx`
      select count(public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', gen_random_uuid())))
      from generate_series(1, ${jobs})`
  })
}

async function startFleet(databaseUrl: string, providerUrl: string): Promise<ChildProcess[]> {
  const script = join(import.meta.dirname, 'capacity/worker.ts')
  const started = Array.from({ length: workers }, () =>
    spawn(process.execPath, [script, databaseUrl, providerUrl], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  for (const { stdout } of started)
    stdout.on('data', (said: Buffer) => said.toString() === 'ready\n' || console.error(String(said)))
  await Promise.all(started.map(({ stdout }) => once(stdout, 'data')))
  return started
}

/** A kill between two calls would prove nothing. */
async function untilSomeAreHeld(owner: postgres.Sql): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const [row] = await owner<{ held: number }[]>`
      select count(*)::int as held
      from public.api_capacity_reservations
      where released_at is null
        and expires_at > clock_timestamp()`
    if ((row?.held ?? 0) >= 4) return
    await delay(50)
  }
}

async function countHeld(owner: postgres.Sql, names: readonly string[]): Promise<number> {
  const [row] = await owner<{ held: number }[]>`
    select count(*)::int as held
    from public.api_capacity_reservations
    where worker_id = any (${[...names]})
      and released_at is null
      and expires_at > clock_timestamp()`
  return row?.held ?? 0
}

/** A counter in front of the function: how often do workers ask for each call that they make? */
async function countQuestions(owner: postgres.Sql): Promise<void> {
  await owner.unsafe(`
    create sequence public.bench_questions;
    grant usage on sequence public.bench_questions to service_role;
    alter function public.ask_api_capacity(text, text, int, uuid, text, int) rename to bench_ask_api_capacity;
    create function public.ask_api_capacity(
      p_provider_name text, p_api_endpoint text, p_estimated_tokens int, p_job_id uuid, p_worker_id text
    )
    returns table (granted boolean, reservation_id uuid, retry_after_ms int, refused_for text, waited_ms numeric)
    language sql
    as $$
      select nextval('public.bench_questions');
      select * from public.bench_ask_api_capacity($1, $2, $3, $4, $5)
    $$;
    grant execute on function public.ask_api_capacity(text, text, int, uuid, text) to service_role;`)
}

async function questionsSoFar(owner: postgres.Sql): Promise<number> {
  const [row] = await owner<{ asked: number }[]>`select last_value::int as asked from public.bench_questions`
  return row?.asked ?? 0
}

type Run = {
  readonly provider: StrictProvider
  readonly steadyEndMs: number
  readonly killedAtMs: number
  readonly held: number
  readonly leaked: number
  readonly asked: number
  readonly servedThen: number
  readonly putOff: unknown
}

async function report(run: Run) {
  const { served, refused } = run.provider
  const began = served[0] ?? 0
  const endMs = run.provider.nowMs()
  const use = (fromMs: number, toMs: number) => useOverTime(served, perMinute, { fromMs, toMs, everyMs: 100 })
  const steady = use(began + 61_000, run.steadyEndMs)
  const lastMinute = steady.at(-1)?.share ?? 0
  const after = use(endMs, endMs).at(-1)?.share ?? 0
  const overshoot = Math.max(0, mostInAnyMinute([...served, ...refused]) - perMinute)
  const folder = join(import.meta.dirname, 'results')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'capacity.svg'), plotUse(use(0, endMs), run.killedAtMs))
  const atLeast = (name: string, value: number, goal: number) => ({
    name,
    value: rounded(value),
    goal,
    holds: value >= goal,
  })
  const atMost = (name: string, value: number, goal: number) => ({
    name,
    value: rounded(value),
    goal,
    holds: value <= goal,
  })
  return {
    figures: [
      atLeast('share of the limit, best minute', best(steady), 0.98),
      atLeast('share of the limit, mean over all minutes', mean(steady), 0.98),
      atLeast('share of the limit, last minute before the kill', lastMinute, 0.98),
      atLeast('share of the limit, minute after the kill', after, 0.98),
      atMost('calls above the limit in any minute', overshoot, 0),
      atMost('429 answers', refused.length, 0),
      atMost('most calls at once', run.provider.mostAtOnce(), atOnce),
      atMost('reservations leaked by killed workers', run.leaked, 0),
      atMost('questions for each call', run.asked / run.servedThen, 3),
    ],
    beside: {
      calls_under_way_ms: quantilesOf(run.provider.underWayMs),
      room_was_idle_for_ms: quantilesOf(idleMs(served)),
      worst_share: rounded(worst(steady)),
      reservations_held_when_killed: run.held,
      jobs_put_off: run.putOff,
      calls: served.length,
    },
  }
}

/** How long room was there before somebody used it: each call makes room for the one that comes `perMinute` later. */
const idleMs = (served: readonly number[]) =>
  served.slice(perMinute).map((at, index) => at - (served[index] ?? at) - 60_650)

function quantilesOf(values: readonly number[]) {
  const inOrder = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(inOrder[Math.floor(inOrder.length * share)] ?? Number.NaN)
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(0.99999) }
}

const rounded = (value: number) => Math.round(value * 1000) / 1000
