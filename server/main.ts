import { createLog } from '../platform/log.ts'
import { runMain } from '../platform/run-main.ts'
import { serveUntilStopped } from '../platform/serve.ts'
import { readServerConfig } from './config.ts'
import { openServerParts } from './server-parts.ts'

// The API alone, for deployments that run workers apart. `npm start` runs both.
await runMain(async () => {
  const config = readServerConfig()
  const log = createLog({ level: config.logLevel, service: 'server' })
  await serveUntilStopped({
    log,
    graceMs: 30_000,
    open: async () => {
      const parts = await openServerParts(config, log)
      return { service: parts.http, close: () => parts.close() }
    },
  })
})
