/**
 * A worker in a process of its own, to be killed: `node worker-child.ts <url> <mode> [leaseMs]`. Tells on standard output
 * what it does, one word per line. `quick` finishes a job at once, `slow` after 300 ms; `hang` never does, `call` never ends an outside call; `stubborn`
 * goes on when it is aborted; `blocking` lets nothing else run for three leases, `blocked` for ever; `poisoned` dies of
 * jobs that have the highest priority; `retrying` fails each job once.
 */
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { createLog } from '../../platform/log.ts'
import { startAll } from '../../platform/service.ts'
import { listenForStop } from '../../platform/stop-signal.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { done } from '../../worker/engine/handler.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { newWorkerId } from '../../worker/worker-id.ts'
import { testHandler } from './worker.ts'

const [url = '', mode = 'quick', leaseMs = '1500'] = process.argv.slice(2)
const say = (word: string) => process.stdout.write(`${word}\n`)
const stop = listenForStop()
const db = openDatabase({ url, max: 4, applicationName: 'test-worker' })
const workerId = newWorkerId(process.env['WORKER_ID'] ?? 'child')

const lines = z.object({ msg: z.string().optional(), job_id: z.string().optional(), outcome: z.string().optional() })
const destination = new Writable({
  write(chunk: Buffer, _encoding, written) {
    for (const text of chunk.toString().split('\n').filter(Boolean)) {
      const line = lines.parse(JSON.parse(text))
      if (line.msg === 'job ended') say(`ended ${line.job_id} ${line.outcome}`)
    }
    written()
  },
})

/** As an endless computation does, without the heat. */
function block(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs)
}

async function takePoison(jobId: string): Promise<void> {
  const [job] = await db.sql.begin(async (tx) => {
    await tx`select set_config('role', 'service_role', true)`
    return await tx`select priority from public.job_queue where id = ${jobId}`
  })
  if (job?.['priority'] === 10) process.kill(process.pid, 'SIGKILL')
  await delay(300)
}

const handler = testHandler(async (_payload, { job, signal, write, withCapacity }) => {
  const note = (text: string) =>
    sql`insert into public.effects (job_id, attempt_token, note) values (${job.id}, ${job.attemptToken}, ${text})`
  say(`began ${job.id}`)
  if (mode === 'hang') {
    await write((tx) => tx.execute(note('begun')))
    say(`half ${job.id}`)
    await delay(600_000, undefined, { signal })
  }
  if (mode === 'call') {
    const request = { provider: 'openai', endpoint: 'gpt-4o-mini', estimatedTokens: 10, consent: null }
    await withCapacity(request, async () => {
      say(`calls ${job.id}`)
      await delay(600_000, undefined, { signal })
      return { value: null }
    })
  }
  if (mode === 'slow') await delay(300)
  if (mode === 'stubborn') {
    await once(signal, 'abort')
    say(`aborted ${job.id}`)
  }
  if (mode === 'blocking') block(3 * Number(leaseMs))
  if (mode === 'blocked') block(Number.POSITIVE_INFINITY)
  if (mode === 'retrying' && job.attempt === 1) throw new Error('the first one fails')
  if (mode === 'poisoned') await takePoison(job.id)
  return done(async (tx) => {
    await tx.execute(note('result'))
    return undefined
  })
})

const engine = createEngine({
  db,
  workerId,
  version: 'test',
  log: createLog({ level: 'info', service: 'test', destination }),
  metrics: createEngineMetrics(createMetrics({ service: 'test', runtime: 'leave_out' })),
  // No attempt ends because its time is over: tests wait for other reasons.
  handlers: [{ ...handler, job: { ...handler.job, timeoutMs: 600_000 } }],
  schedules: [],
  lanes: ['fast_queue'],
  laneEndpoints: {},
  concurrency: 2,
  maxBytesInFlight: 1_000_000_000,
  leaseMs: Number(leaseMs),
  pollMs: 500,
  notifications: 'listen',
  capacityCheckMs: 60_000,
  drainMs: mode === 'slow' ? 5_000 : 60_000,
})

const running = await startAll([engine], { startMs: 20_000, graceMs: 1_000 })
say('ready')
await new Promise((resolve) => {
  stop.asked.addEventListener('abort', resolve, { once: true })
})
say('stopping')
const failures = await running.stop({ graceMs: 60_000, insisted: stop.insisted })
await db.close()
stop.dispose()
process.exitCode = failures.length === 0 ? 0 : 1
say('bye')
