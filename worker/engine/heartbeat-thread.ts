/**
 * The other side of `heartbeat.ts`: keeps the leases of the process from a thread and over a connection of its own, so
 * that neither a handler that computes for minutes nor a crowded pool makes them run out. Imports little, to be there soon.
 */
import { parentPort, workerData } from 'node:worker_threads'
import postgres from 'postgres'
import { withFencedTransactions } from '../../db/fenced-begin.ts'
import { openSocket } from '../../db/sockets.ts'
import { wait } from '../../platform/wait.ts'
import { attemptsOfText, monotonicMs, openBeatMemory } from './heartbeat-messages.ts'
import type { Heard, ThreadStart, Told } from './heartbeat-messages.ts'

// Both sides are of one checkout: nothing to parse.
const start: ThreadStart = workerData
const { connection, workerId, leaseMs } = start
const memory = openBeatMemory(start.memory)
const attempts = new Map(start.attempts.map(({ jobId, attemptToken }) => [jobId, attemptToken]))
const stopping = new AbortController()

// A beat that has no answer after half a lease is given up in time for another: first by the server, which would
// otherwise keep a session waiting for each; then by us, when nothing comes back at all.
const serverLimitMs = leaseMs / 2
const ownLimitMs = leaseMs * 0.6
const everyMs = leaseMs / 4
const afterFailureMs = leaseMs / 20

const settings = {
  max: 1,
  prepare: !connection.isPooled,
  fetch_types: false,
  connect_timeout: Math.max(1, ownLimitMs / 1_000),
  backoff: () => 0.1,
  onnotice: () => {},
  socket: openSocket,
  connection: { application_name: `${connection.applicationName}-heartbeat` },
}
const connect = () => withFencedTransactions(postgres(connection.url, settings))
let sql = connect()

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const tell = (heard: Heard) => parentPort?.postMessage(heard)

parentPort?.on('message', (told: Told) => {
  if (told.kind === 'stop') return stopping.abort()
  for (const { jobId, attemptToken } of attemptsOfText(told.ended)) {
    if (attempts.get(jobId) === attemptToken) attempts.delete(jobId)
  }
  for (const { jobId, attemptToken } of attemptsOfText(told.begun)) attempts.set(jobId, attemptToken)
})

async function beat(): Promise<void> {
  const asked = new Map(attempts)
  const askedAtMs = monotonicMs()
  const held = await withinLimit(askHeld([...asked.keys()]))
  memory.confirm(askedAtMs)
  const lost = [...asked].filter(([jobId]) => !held.has(jobId))
  if (lost.length > 0) tell({ kind: 'lost', attempts: lost.map(([jobId, attemptToken]) => ({ jobId, attemptToken })) })
}

async function askHeld(jobIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.begin(async (tx) => {
    await tx`
      select
        set_config('role', 'service_role', true),
        set_config('statement_timeout', ${String(Math.ceil(serverLimitMs))}, true),
        set_config('idle_in_transaction_session_timeout', ${String(Math.ceil(leaseMs))}, true)`
    return await tx<{ held: string }[]>`
      select held
      from public.update_job_heartbeats(
        ${workerId},
        ${`{${jobIds.join(',')}}`}::text::uuid[],
        ${leaseMs / 1_000}::float8::numeric
      ) as held`
  })
  return new Set(rows.map((row) => row.held))
}

async function withinLimit<T>(asking: Promise<T>): Promise<T> {
  const answered = new AbortController()
  const tooLate = wait(ownLimitMs, { signal: answered.signal }).then(() => {
    throw new Error('the database did not answer a heartbeat')
  })
  tooLate.catch(() => {})
  try {
    return await Promise.race([asking, tooLate])
  } finally {
    answered.abort()
  }
}

async function renewConnection(): Promise<void> {
  const old = sql
  sql = connect()
  await old.end({ timeout: 0 }).catch(() => {})
}

let isFirst = true
while (!stopping.signal.aborted) {
  let nextInMs = everyMs
  try {
    await beat()
  } catch (error) {
    nextInMs = afterFailureMs
    tell({ kind: 'failed', error })
    await renewConnection()
  }
  if (isFirst) tell({ kind: 'tried' })
  isFirst = false
  await wait(nextInMs, { signal: stopping.signal }).catch(() => {})
}
await sql.end({ timeout: 1 })
parentPort?.close()
