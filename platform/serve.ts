import type { Logger } from './log.ts'
import { closingMs, endSoon, endWithin } from './process-end.ts'
import { startAll } from './service.ts'
import type { Service } from './service.ts'
import { listenForStop } from './stop-signal.ts'
import { whenAborted } from './wait.ts'

export type Parts = { readonly service: Service; close(): Promise<void> }

export type ServeOptions = {
  readonly log: Logger
  /** Opens what the service needs, and closes it when that fails. */
  readonly open: () => Promise<Parts>
  /** From the first signal until the process is gone, whatever happens. */
  readonly graceMs: number
}

const startMs = 60_000

/** What a process does that is one service: starts it, and stops it when it is asked to, also in the middle of its start. */
export async function serveUntilStopped({ log, open, graceMs }: ServeOptions): Promise<void> {
  const stop = listenForStop()
  const { insisted } = stop
  stop.asked.addEventListener('abort', () => endWithin({ graceMs, insisted, log }), { once: true })

  const parts = await open()
  try {
    const running = await startAll([parts.service], { startMs, graceMs })
    await whenAborted(stop.asked)
    log.info({ event: 'stopping' }, 'stopping')
    const failures = await running.stop({ graceMs: graceMs - closingMs, insisted })
    for (const { service, error } of failures) log.error({ service, error }, 'not stopped as it should')
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await parts.close()
  }
  stop.dispose()
  endSoon(log)
}
