/**
 * A worker of the soak in a process of its own, to be killed: the product's engine with the soak's handlers.
 * `node worker.ts <settings as JSON>`; its log goes to standard output.
 */
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { jobLanes } from '../../db/schema/queue.ts'
import { createLog } from '../../platform/log.ts'
import { runMain } from '../../platform/run-main.ts'
import { startAll } from '../../platform/service.ts'
import { listenForStop } from '../../platform/stop-signal.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { createSoakHandlers, endpoint } from './jobs.ts'
import { exitCodes, readyLine } from './worker-exits.ts'

const settings = z.object({
  url: z.string(),
  providerUrl: z.string(),
  workerId: z.string(),
  lanes: z.array(z.enum(jobLanes)),
  leaseMs: z.number(),
})

await runMain(async () => {
  const { url, providerUrl, workerId, lanes, leaseMs } = settings.parse(JSON.parse(process.argv[2] ?? ''))
  leaveWithParent()
  const stop = listenForStop()
  const db = openDatabase({ url, max: 5, applicationName: 'soak-worker', idleTransactionMs: (leaseMs * 2) / 3 })
  const handlers = createSoakHandlers({ db, workerId, providerUrl })
  const engine = createEngine({
    db,
    workerId,
    handlers: handlers.filter(({ job }) => lanes.includes(job.lane)),
    lanes,
    leaseMs,
    version: 'soak',
    log: createLog({ level: 'warn', service: 'soak-worker' }),
    metrics: createEngineMetrics(createMetrics({ service: 'soak', runtime: 'leave_out' })),
    schedules: [],
    laneEndpoints: { ai_queue: [endpoint] },
    concurrency: 8,
    maxBytesInFlight: 100_000_000,
    pollMs: 1_000,
    notifications: 'listen',
    capacityCheckMs: 500,
    drainMs: leaseMs,
  })
  const running = await startAll([engine], { startMs: 60_000, graceMs: 5_000 }).catch(() =>
    // The database is away; whoever runs workers starts them again.
    process.exit(exitCodes.startFailed),
  )
  process.stdout.write(`${readyLine}\n`)
  if (!stop.asked.aborted)
    await new Promise((resolve) => {
      stop.asked.addEventListener('abort', resolve, { once: true })
    })
  const failures = await running.stop({ graceMs: 15_000, insisted: stop.insisted })
  await db.close()
  process.exit(failures.length === 0 ? exitCodes.stopped : exitCodes.stopFailed)
})

/** Nobody is left who could stop it. */
function leaveWithParent(): void {
  process.stdin.resume()
  process.stdin.once('close', () => process.exit(exitCodes.stopped))
}
