import { createLog } from '../platform/log.ts'
import { runMain } from '../platform/run-main.ts'
import { startAll } from '../platform/service.ts'
import { listenForStop } from '../platform/stop-signal.ts'
import { readServerConfig } from './config.ts'
import { openServerParts } from './server-parts.ts'

// The API alone, for deployments that run workers apart. `npm start` runs both.
await runMain(async () => {
  const config = readServerConfig()
  const log = createLog({ level: config.logLevel, service: 'server' })
  const stop = listenForStop()
  const startMs = 60_000
  const graceMs = 30_000

  const parts = await openServerParts(config, log)
  try {
    const running = await startAll([parts.http], { startMs, graceMs })
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
