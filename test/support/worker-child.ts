/**
 * A worker in a process of its own, to be killed: `node worker-child.ts <url> <mode> [leaseMs]`. Tells on standard output
 * what it does, one word per line. `hang` never finishes a job; `call` never finishes an outside call; `quick` finishes
 * each job at once; `slow` after 300 ms.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../db/client.ts'
import { createLog } from '../../platform/log.ts'
import { startAll } from '../../platform/service.ts'
import { listenForStop } from '../../platform/stop-signal.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { done } from '../../worker/engine/handler.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { testHandler } from './worker.ts'

const [url = '', mode = 'quick', leaseMs = '1500'] = process.argv.slice(2)
const say = (word: string) => process.stdout.write(`${word}\n`)
const stop = listenForStop()
const db = openDatabase({ url, max: 4, applicationName: 'test-worker' })
const workerId = `child-${process.pid}`

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
  return done(async (tx) => {
    await tx.execute(note('result'))
    return undefined
  })
})

const engine = createEngine({
  db,
  workerId,
  version: 'test',
  log: createLog({ level: 'silent', service: 'test' }),
  metrics: createEngineMetrics(createMetrics({ service: 'test', runtime: 'leave_out' })),
  handlers: [handler],
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
