import { join } from 'node:path'
import { askAsService } from '../../db/actor.ts'
import { wait } from '../../platform/wait.ts'
import { wreak } from './chaos.ts'
import { measure } from './figures.ts'
import type { SoakFigure } from './figures.ts'
import { startFleet } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { endpoint, kinds } from './jobs.ts'
import { openPlace, untilAnswered } from './place.ts'
import type { Place } from './place.ts'
import type { SoakPlan } from './plan.ts'
import { startProvider } from './provider.ts'
import { createRandom } from './random.ts'
import { createSender } from './sender.ts'
import { keepUp } from './upkeep.ts'
import { countRows, judge } from './verdict.ts'
import type { Finding } from './verdict.ts'

export type SoakReport = { readonly findings: readonly Finding[]; readonly figures: readonly SoakFigure[] }

export type SoakOptions = {
  /** Empty; database and logs lie there. */
  readonly folder: string
  readonly say: (line: string) => void
  /** Ends the load before its time. */
  readonly signal: AbortSignal
}

/** Load and chaos, then quiet, then what became of every job. */
export async function runSoak(plan: SoakPlan, options: SoakOptions): Promise<SoakReport> {
  const { folder, say, signal } = options
  const stream = (name: string) => createRandom(plan.seed, name)
  const place = await openPlace(folder)
  const provider = await startProvider(stream('provider'))
  let fleet: Fleet | null = null
  try {
    await prepare(place, plan)
    const settings = { url: place.appUrl, providerUrl: provider.url, leaseMs: plan.leaseMs }
    fleet = await startFleet({ folder: join(folder, 'workers'), lanes: plan.workers, settings })
    await untilRegistered(place, plan)
    const sender = createSender(place, plan, stream('sender'))
    const loadEnds = new AbortController()
    const startedAt = performance.now()
    const load = sender.run(signal).finally(() => loadEnds.abort())
    const [, upkeep, chaos] = await Promise.all([
      load,
      keepUp(place, plan, stream('upkeep'), loadEnds.signal),
      wreak(place, fleet, plan, { random: stream('chaos'), signal: loadEnds.signal, say: (what) => say(`  ${what}`) }),
      tellProgress(place, say, loadEnds.signal),
    ])
    provider.heal()
    await liftLimit(place)
    await settle(place, plan, say)
    const loadMs = performance.now() - startedAt
    await fleet.stop()
    const evidence = { place, plan, fleet, sender, upkeep, provider: provider.count() }
    const findings = await judge(evidence)
    return { findings, figures: await measure(evidence, findings, { ...chaos, loadMs }) }
  } finally {
    await fleet?.stop()
    await provider.close()
    await place.close()
  }
}

async function prepare({ owner, db }: Place, { limits }: SoakPlan): Promise<void> {
  for (const [kind, lane] of Object.entries(kinds))
    await owner`
      insert into public.job_types (job_type, job_lane, required_keys, max_retries, timeout_seconds, description)
      values (${kind}, ${lane}, '{}', 6, 30, 'Of a soak.')`
  await askAsService(
    db,
    (ask) => ask`
      insert into public.api_rate_limits (provider_name, api_endpoint, requests_per_minute, concurrent_requests)
      values (${endpoint.provider}, ${endpoint.endpoint}, ${limits.requestsPerMinute}, ${limits.concurrentRequests})`,
  )
}

async function untilRegistered({ db }: Place, { workers }: SoakPlan): Promise<void> {
  for (;;) {
    const rows = await askAsService(db, (ask) => ask`select from public.workers`)
    if (rows.length >= workers.length) return
    await wait(50)
  }
}

/** What is left need not wait for the minute; how many at once is counted to the end. */
async function liftLimit({ db }: Place): Promise<void> {
  await untilAnswered(() =>
    askAsService(
      db,
      (ask) => ask`
        update public.api_rate_limits set requests_per_minute = null where provider_name = ${endpoint.provider}`,
    ),
  )
}

async function tellProgress(place: Place, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  for (let seconds = 1; !signal.aborted; seconds += 1) {
    await wait(1_000)
    if (seconds % 5 !== 0) continue
    const rows = await untilAnswered(() => countRows(place))
    say(`${rows.came} jobs came, ${rows.live} are alive, ${rows.dead} dead letters`)
  }
}

/** Until nothing waits and nothing runs; what is still there when the patience ends is a finding. */
async function settle(place: Place, plan: SoakPlan, say: (line: string) => void): Promise<void> {
  const giveUpAt = performance.now() + plan.settleMs
  for (let looks = 0; performance.now() < giveUpAt; looks += 1) {
    const { live } = await countRows(place)
    // The room of a cancelled job whose worker was killed is free when its lease would have ended.
    if (live === 0 && (await untilAnswered(() => countHeld(place))) === 0) return
    if (looks % 20 === 0) say(`settling: ${live} jobs are alive`)
    await wait(250)
  }
}

async function countHeld({ db }: Place): Promise<number> {
  const held = await askAsService(
    db,
    (ask) => ask`
      select from public.api_capacity_reservations where released_at is null and expires_at > clock_timestamp()`,
  )
  return held.length
}
