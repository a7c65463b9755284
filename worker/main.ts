import { createLog } from '../platform/log.ts'
import { runMain } from '../platform/run-main.ts'
import { serveUntilStopped } from '../platform/serve.ts'
import { readWorkerConfig } from './config.ts'
import { openWorkerParts } from './parts.ts'

// A worker alone, for deployments that run the API apart. `npm start` runs both.
await runMain(async () => {
  const config = readWorkerConfig()
  const log = createLog({ level: config.logLevel, service: 'worker' })
  await serveUntilStopped({
    log,
    // Running jobs get `drainMs`; the rest is for handing back, saying goodbye and closing.
    graceMs: config.drainMs + 10_000,
    open: async () => {
      const parts = await openWorkerParts(config, log)
      return { service: parts.worker, close: () => parts.close() }
    },
  })
})
