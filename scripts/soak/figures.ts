import { askAsService } from '../../db/actor.ts'
import type { Chaos } from './chaos.ts'
import { untilAnswered } from './place.ts'
import type { Place } from './place.ts'
import { longLockWaitsOf } from './server-log.ts'
import { countRows } from './verdict.ts'
import type { Evidence, Finding } from './verdict.ts'

export type SoakFigure = {
  readonly name: string
  readonly value: number
  /** Null: only told. */
  readonly goal: string | null
  readonly holds: boolean
}

export async function measure(
  evidence: Evidence,
  findings: readonly Finding[],
  happened: Chaos & { readonly loadMs: number },
): Promise<readonly SoakFigure[]> {
  const { place, fleet, provider, upkeep, plan } = evidence
  const rows = await countRows(place)
  const totals = await readTotals(place)
  const rescueMs = await readRescues(evidence)
  const ends = (end: string) => fleet.workers.filter((worker) => worker.end === end).length
  const times = (trouble: Parameters<typeof happened.counts.get>[0]) => happened.counts.get(trouble) ?? 0
  const countOf = (kind: Finding['counts']) =>
    new Set(findings.filter(({ counts }) => counts === kind).flatMap(({ against }) => against)).size
  return [
    zero('lost', countOf('lost')),
    zero('doubled', countOf('doubled')),
    zero('stuck', countOf('stuck')),
    zero('checks that do not hold', findings.filter(({ against }) => against.length > 0).length),
    told('jobs', rows.came),
    told('attempts', totals.attempts),
    told('jobs completed per second', totals.completed / (happened.loadMs / 1_000)),
    told('longest wait from due to claimed, s', totals.longest_wait_s),
    told('workers killed', ends('killed')),
    told('workers killed by a job', ends('killed_itself')),
    told('workers asked to stop', times('term')),
    told('workers frozen beyond their lease', times('freeze')),
    told('times that connections were cut', times('cut')),
    told('restarts of the database, fast', times('stop_fast')),
    told('restarts of the database, immediate', times('stop_immediate')),
    told('the database was away, s', happened.outageMs / 1_000),
    told('attempts taken from silent workers', totals.rescues),
    told('from silence to rescue, p50 s', quantile(rescueMs, 0.5) / 1_000),
    told('from silence to rescue, p95 s', quantile(rescueMs, 0.95) / 1_000),
    told('from silence to rescue, longest s', quantile(rescueMs, 1) / 1_000),
    told('jobs cancelled', upkeep.cancelled),
    told('dead letters requeued', upkeep.requeued),
    told('lanes paused and resumed', upkeep.paused),
    told('finished jobs deleted', rows.deleted),
    told('calls to the provider', provider.calls),
    told('most calls at once', provider.mostAtOnce, plan.limits.concurrentRequests),
    told('most calls in a minute', provider.mostInAMinute, plan.limits.requestsPerMinute),
    told('locks waited for over a second', longLockWaitsOf(await place.readLog()).length),
  ]
}

const zero = (name: string, value: number): SoakFigure => ({ name, value, goal: '0', holds: value === 0 })

const told = (name: string, value: number, limit: number | null = null): SoakFigure => ({
  name,
  value: Number(value.toFixed(2)),
  goal: limit === null ? null : `<= ${limit}`,
  holds: limit === null || value <= limit,
})

function quantile(values: readonly number[], at01: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at01 * sorted.length))] ?? 0
}

type Totals = {
  readonly attempts: number
  readonly completed: number
  readonly rescues: number
  readonly longest_wait_s: number
}

async function readTotals(place: Place): Promise<Totals> {
  const [row] = await untilAnswered(() =>
    askAsService(
      place.db,
      (ask) => ask<Totals[]>`
      select
        count(*) filter (where entry.to_status = 'processing')::int as attempts,
        count(*) filter (where entry.to_status = 'completed')::int as completed,
        (select count(*)::int from (${ask.unsafe(rescuesSql)}) as rescue) as rescues,
        coalesce(
          max(extract(epoch from entry.at - entry.due_at)) filter (where entry.to_status = 'processing'), 0
        )::float8 as longest_wait_s
      from soak.ledger as entry`,
    ),
  )
  if (row === undefined) throw new Error('nothing was counted')
  return row
}

// What a rescue says stays on the job when it is put off later; only a rescue spends a retry with these words.
const rescuesSql = `
  select
    ended.job_id,
    claim.worker_id,
    extract(epoch from claim.at) * 1000 as claimed_at,
    extract(epoch from ended.at) * 1000 as rescued_at
  from soak.ledger as ended
  join soak.ledger as claim
    on claim.attempt_token = ended.attempt_token
    and claim.to_status = 'processing'
  where ended.from_status = 'processing'
    and ended.to_status in ('pending', 'dead_letter')
    and ended.error_code = 'worker_lost'
    and (ended.to_status = 'dead_letter' or ended.retry_count > claim.retry_count)`

type Rescue = {
  readonly worker_id: string
  readonly claimed_at: number
  readonly rescued_at: number
}

/** From when the worker fell silent; a claim that got lost on a cut connection was of a living one and is left out. */
async function readRescues({ place, fleet }: Evidence): Promise<readonly number[]> {
  const rescues = await untilAnswered(() =>
    askAsService(
      place.db,
      (ask) => ask<Rescue[]>`
        select worker_id, claimed_at::float8, rescued_at::float8
        from (${ask.unsafe(rescuesSql)}) as rescue`,
    ),
  )
  return rescues.flatMap((rescue) => {
    const silentAt = fleet.silences
      .filter(({ workerId, at }) => workerId === rescue.worker_id && at <= rescue.rescued_at && at >= rescue.claimed_at)
      .at(-1)?.at
    return silentAt === undefined ? [] : [rescue.rescued_at - silentAt]
  })
}
