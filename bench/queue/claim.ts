import type postgres from 'postgres'
import postgresClient from 'postgres'
import { migrate } from '../../db/migrate.ts'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import type { Place } from '../server.ts'
import { loadQueue } from './load.ts'
import type { Load } from './load.ts'
import { atMost } from './question.ts'
import type { Bench, Question } from './question.ts'
import { median, quantile, rotated, rounded } from '../statistics.ts'

const jobsPerClaim = 10
const claimsPerRound = 40
const rounds = 12

/** Claims of ten jobs from a queue with years of history, and from one that holds nothing but what will be claimed. */
export const claim: Question = {
  name: 'claim',
  asks: `claim of ${jobsPerClaim} jobs from a long queue with a long history, and from a short one without, ms on the server`,
  async answer(bench) {
    const sizes = sizesOf(bench.scale)
    const sides = [await openSide('full', sizes.full, bench), await openSide('empty', sizes.empty, bench)] as const
    const samples = { full: [] as number[], empty: [] as number[] }
    for (let round = 0; round <= rounds; round += 1) {
      for (const side of rotated(sides, round)) {
        for (let index = 0; index < claimsPerRound; index += 1) {
          const ms = await claimOnce(side.service)
          // The first round warms up caches and plans.
          if (round > 0) samples[side.name].push(ms)
        }
      }
    }
    await Promise.all(sides.map((side) => side.service.end()))
    return answerOf(samples, sizes)
  },
}

type Sizes = { readonly full: Load; readonly empty: Load }

function sizesOf(scale: number): Sizes {
  const claimed = (rounds + 1) * claimsPerRound * jobsPerClaim
  return {
    full: {
      finished: Math.round(5_000_000 * scale),
      scheduled: Math.round(100_000 * scale),
      pending: Math.max(claimed, Math.round(1_000_000 * scale)),
    },
    empty: { finished: 0, scheduled: 0, pending: claimed },
  }
}

type Side = { readonly name: 'full' | 'empty'; readonly service: postgres.Sql }

async function openSide(name: Side['name'], load: Load, bench: Bench): Promise<Side> {
  const startedAt = performance.now()
  const place: Place = await bench.server.createPlace(`bench_claim_${name}`)
  await migrate(place.owner)
  const superuser = bench.server.superuserIn(place, 1)
  await loadQueue(superuser, load)
  await superuser.end()
  await bench.server.superuser`checkpoint`
  const jobs = Object.values(load).reduce((sum, count) => sum + count, 0)
  bench.say(`claim: ${jobs} jobs loaded in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
  return {
    name,
    service: postgresClient(place.app, { max: 1, onnotice: () => {}, connection: { role: 'service_role' } }),
  }
}

/** What the server takes for the claim, without the way to it and without the flush of the commit. */
async function claimOnce(service: postgres.Sql): Promise<number> {
  const [row] = await service<{ ms: number; claimed: number }[]>`
    with begun as materialized (
      select clock_timestamp() as at
    ),
    claimed as materialized (
      select count(*)::int as jobs
      from begun
      cross join lateral public.claim_next_job_v3(
        worker_id => 'bench',
        job_types => array['ocr', 'security_scan'],
        job_lanes => array['fast_queue'],
        max_jobs => ${jobsPerClaim}::int
      ) as job
      where begun.at is not null
    )
    select claimed.jobs as claimed, extract(epoch from clock_timestamp() - begun.at)::float8 * 1000 as ms
    from claimed
    cross join begun`
  if (row?.claimed !== jobsPerClaim)
    throw new Error(`${row?.claimed ?? 0} jobs were claimed instead of ${jobsPerClaim}`)
  return row.ms
}

function answerOf(samples: Readonly<Record<Side['name'], readonly number[]>>, sizes: Sizes) {
  const p50 = (name: Side['name']) => median(samples[name])
  const of = (name: Side['name']) => ({ p50: rounded(p50(name)), p99: rounded(quantile(samples[name], 0.99)) })
  return {
    figures: [atMost('claim p50 of a long queue, of a short one', rounded(p50('full') / p50('empty')), 1.1)],
    table: (['full', 'empty'] as const).map((queue) => ({
      queue,
      ...sizes[queue],
      p50_ms: of(queue).p50,
      p99_ms: of(queue).p99,
    })),
    details: { jobs_per_claim: jobsPerClaim, samples: samples.full.length },
    plots: [
      barChart({
        name: 'claim',
        title: `Claiming ${jobsPerClaim} jobs from a long queue and from a short one`,
        unit: 'ms on the server (median), less is better',
        bars: [
          { label: 'exora: long queue', group: inWords(sizes.full), value: of('full').p50 },
          { label: 'exora: short queue', group: inWords(sizes.empty), value: of('empty').p50 },
        ],
      }),
    ],
  }
}

const inWords = ({ pending, finished, scheduled }: Load) =>
  `${pending.toLocaleString('en')} pending, ${scheduled.toLocaleString('en')} for later, ${finished.toLocaleString('en')} finished`
