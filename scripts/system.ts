import { createLog } from '../platform/log.ts'
import { closingMs, endSoon, endWithin } from '../platform/process-end.ts'
import { startAll } from '../platform/service.ts'
import type { StopFailure } from '../platform/service.ts'
import { readBoth } from '../platform/env.ts'
import type { EnvSource } from '../platform/env.ts'
import type { StopSignals } from '../platform/stop-signal.ts'
import { readServerConfig } from '../server/config.ts'
import { openServerParts } from '../server/server-parts.ts'
import { readWorkerConfig } from '../worker/config.ts'
import { openWorkerParts } from '../worker/parts.ts'

export type System = {
  /** Of the API: http://127.0.0.1:8080 */
  readonly address: string
  /** Server and worker first, the embedded database last. */
  stop(insisted: AbortSignal): Promise<readonly StopFailure[]>
}

/** Everything in one process: what `npm start` and the demo run. A stop signal before it is up ends the process. */
export async function startSystem(env: EnvSource, stop: StopSignals): Promise<System> {
  stop.asked.addEventListener('abort', leave, { once: true })
  const system = await start(env)
  stop.asked.removeEventListener('abort', leave)
  return system
}

// A database that is just being started is left behind, and adopted by the next start.
const leave = () => process.exit(130)

async function start(env: EnvSource): Promise<System> {
  const [serverConfig, workerConfig] = readBoth(
    () => readServerConfig(env),
    () => readWorkerConfig(env),
  )
  const log = createLog({ level: env['LOG_LEVEL'] ?? 'warn', service: 'exora' })
  const server = await openServerParts(serverConfig, log)
  const worker = await openWorkerParts(workerConfig, log)
  const close = async () => {
    // Each leaves the database, and whoever is the last stops it; what one of them meets keeps the other from nothing.
    const closed = await Promise.allSettled([worker.close(), server.close()])
    for (const one of closed) if (one.status === 'rejected') log.error({ error: one.reason }, 'not closed as it should')
  }
  // As each of them has alone; the API stops after the worker.
  const graceMs = Math.max(30_000, workerConfig.drainMs + 15_000)
  try {
    const running = await startAll([server.http, worker.worker], { startMs: 60_000, graceMs })
    return {
      address: server.http.address(),
      stop: async (insisted) => {
        endWithin({ graceMs, insisted, log })
        const failures = await running.stop({ graceMs: graceMs - closingMs, insisted })
        for (const { service, error } of failures) log.error({ service, error }, 'not stopped as it should')
        await close()
        endSoon(log)
        return failures
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
