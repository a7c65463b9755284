import { askAsService } from '../../db/actor.ts'
import { checks, conservationSql } from './checks.ts'
import type { Fleet } from './fleet.ts'
import { untilAnswered } from './place.ts'
import type { Place } from './place.ts'
import type { SoakPlan } from './plan.ts'
import type { ProviderCount } from './provider.ts'
import type { Sender } from './sender.ts'
import { deadlocksOf, unexpectedErrorsOf } from './server-log.ts'
import type { Upkeep } from './upkeep.ts'

export type Finding = {
  readonly name: string
  /** Job ids, or lines of a log; nothing when it holds. */
  readonly against: readonly string[]
  readonly look: string
  readonly counts: 'lost' | 'doubled' | 'stuck' | null
}

export type Evidence = {
  readonly place: Place
  readonly plan: SoakPlan
  readonly fleet: Fleet
  readonly sender: Sender
  readonly upkeep: Upkeep
  readonly provider: ProviderCount
}

/** Everything that has to be true after a soak. */
export async function judge(evidence: Evidence): Promise<readonly Finding[]> {
  return [
    ...(await askLedger(evidence)),
    await findAcknowledged(evidence),
    await findConservation(evidence),
    ...findCapacity(evidence),
    ...(await findDefects(evidence)),
  ]
}

async function askLedger({ place, sender }: Evidence): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, sql, look, counts = null } of checks) {
    const parameters = sql.includes('$1') ? [JSON.stringify(sender.takenBack)] : []
    const rows = await ask<{ job_id: string }>(place, sql, parameters)
    findings.push({ name, look, counts, against: rows.map((row) => row.job_id) })
  }
  return findings
}

async function findAcknowledged({ place, sender }: Evidence): Promise<Finding> {
  const rows = await ask<{ job_id: string }>(place, 'select distinct send.job_id from soak.sends as send')
  const kept = new Set(rows.map((row) => row.job_id))
  return {
    name: 'every job whose commit was acknowledged outlived the restarts of the database',
    against: sender.acknowledged.filter((id) => !kept.has(id)),
    look: 'fsync and synchronous_commit of the server',
    counts: 'lost',
  }
}

export type Conservation = {
  readonly sent: number
  readonly came: number
  readonly deleted: number
  readonly gone: number
  readonly completed: number
  readonly dead: number
  readonly cancelled: number
  readonly live: number
  readonly there: number
}

export async function countRows(place: Place): Promise<Conservation> {
  const [row] = await ask<Conservation>(place, conservationSql)
  if (row === undefined) throw new Error('nothing was counted')
  return row
}

async function findConservation({ place }: Evidence): Promise<Finding> {
  const rows = await countRows(place)
  const { sent, came, deleted, gone, completed, dead, cancelled, live, there } = rows
  const out = completed + dead + cancelled + live + deleted
  const holds = sent === came && came === out && gone === deleted && there === out - deleted
  return {
    name: 'in = completed + dead + cancelled + live + deleted',
    against: holds ? [] : [JSON.stringify(rows)],
    look: 'delete_finished_jobs; select from_status, to_status, count(*) from soak.ledger group by 1, 2',
    counts: null,
  }
}

function findCapacity({ provider, plan }: Evidence): readonly Finding[] {
  const look = 'acquire_api_capacity; worker/engine/capacity.ts'
  return [
    finding('no more calls at once than the limit', over(provider.mostAtOnce, plan.limits.concurrentRequests), look),
    finding(
      'no minute held more calls than the limit',
      over(provider.mostInAMinute, plan.limits.requestsPerMinute),
      look,
    ),
  ]
}

const over = (count: number, limit: number) => (count > limit ? [`${count} of ${limit}`] : [])

async function findDefects({ place, fleet, upkeep }: Evidence): Promise<readonly Finding[]> {
  const serverLog = await place.readLog()
  const complaints = await fleet.readComplaints()
  const poisoned = await readPoisoned(place)
  const wrongEnds = fleet.workers.filter(
    ({ id, end }) => end === 'crashed' || (end === 'killed_itself' && !poisoned.has(id)),
  )
  const ended = wrongEnds.map(({ id, end }) => `${id}: ${end}`)
  const logged = complaints.map(({ workerId, line }) => `${workerId}: ${line.slice(0, 300)}`)
  return [
    finding('no deadlock', deadlocksOf(serverLog), 'the log of the server, in its data folder (--keep)'),
    finding('no statement failed that should not', unexpectedErrorsOf(serverLog), 'the log of the server (--keep)'),
    finding('no worker ended by itself', ended, 'the logs of the workers (--keep)'),
    finding('no worker logged an error', logged, 'the logs of the workers (--keep)'),
    finding('housekeeping and operators met no error', upkeep.failures.map(String), 'db/sql/23-queue-operations.sql'),
  ]
}

const finding = (name: string, against: readonly string[], look: string): Finding => ({
  name,
  against,
  look,
  counts: null,
})

/** The workers in which poison was begun: they may have killed themselves. */
async function readPoisoned(place: Place): Promise<ReadonlySet<string>> {
  const rows = await ask<{ worker_id: string }>(
    place,
    `select begun.worker_id
     from soak.starts as begun
     join soak.sends as send on send.job_id = begun.job_id
     where send.kind = 'soak_poison'`,
  )
  return new Set(rows.map((row) => row.worker_id))
}

async function ask<Row>(place: Place, text: string, parameters: string[] = []): Promise<readonly Row[]> {
  const rows = await untilAnswered(() =>
    askAsService(place.db, (sql) => sql.unsafe<Row[] & object[]>(text, parameters)),
  )
  return rows
}
