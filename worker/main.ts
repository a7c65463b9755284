import { createLog } from '../platform/log.ts'
import { runMain } from '../platform/run-main.ts'
import { startAll } from '../platform/service.ts'
import { listenForStop } from '../platform/stop-signal.ts'
import { readWorkerConfig } from './config.ts'
import { openWorkerParts } from './parts.ts'

// A worker alone, for deployments that run the API apart. `npm start` runs both.
await runMain(async () => {
  const config = readWorkerConfig()
  const log = createLog({ level: config.logLevel, service: 'worker' })
  const stop = listenForStop()
  const startMs = 60_000
  // Running jobs get `drainMs`; the rest is for handing back and saying goodbye.
  const graceMs = config.drainMs + 10_000

  const parts = await openWorkerParts(config, log)
  try {
    const running = await startAll([parts.worker], { startMs, graceMs })
    await new Promise((resolve) => {
      stop.asked.addEventListener('abort', resolve, { once: true })
    })
    log.info({ event: 'stopping' }, 'stopping')
    const failures = await running.stop({ graceMs, insisted: stop.insisted })
    for (const { service, error } of failures) log.error({ service, error }, 'not stopped in time')
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await parts.close()
  }
})
