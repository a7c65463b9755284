/** A worker in a process of its own, to be killed: every job is one outside call. `node worker.ts <database> <provider>` */
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { defineJob } from '../../jobs/job.ts'
import { defineError } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { done } from '../../worker/engine/handler.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { benchEndpoint } from './endpoint.ts'

const [databaseUrl = '', providerUrl = ''] = process.argv.slice(2)
const busy = defineError('bench_busy', 429, 'Busy.')
const payload = z.object({ shell_file_id: z.string() })
const job = defineJob({ name: 'ocr', lane: 'fast_queue', payload, attempts: 7, timeoutMs: 120_000 })

const engine = createEngine({
  db: openDatabase({ url: databaseUrl, applicationName: 'exora-bench', max: 8 }),
  log: createLog({ level: 'warn', service: 'bench' }),
  metrics: createEngineMetrics(createMetrics({ service: 'bench', runtime: 'leave_out' })),
  workerId: `bench-${process.pid}`,
  version: 'bench',
  lanes: ['fast_queue'],
  concurrency: 8,
  handlers: [
    {
      job,
      run: async (_payload, { withCapacity, signal }) => {
        await withCapacity({ ...benchEndpoint, estimatedTokens: 100, consent: null }, async () => {
          const response = await fetch(providerUrl, { signal, headers: { 'x-sent-at': String(Date.now()) } })
          await response.text()
          if (response.status === 429)
            throw busy({ retryAfterMs: 1000 * Number(response.headers.get('retry-after') ?? 1) })
          return { value: null, tokensUsed: 100 }
        })
        return done()
      },
    },
  ],
  schedules: [],
  laneEndpoints: { fast_queue: [benchEndpoint] },
  leaseMs: 10_000,
  pollMs: 2_000,
  notifications: 'listen',
  capacityCheckMs: 2_000,
  drainMs: 1_000,
  maxBytesInFlight: 1_000_000_000,
})
// The first call of a process loads the client: 100 ms on an idle machine, 800 beside seven others that do the same.
await fetch(`${providerUrl}warm-up`)
await engine.start()
process.stdout.write('ready\n')
