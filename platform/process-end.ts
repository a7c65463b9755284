import type { Logger } from './log.ts'

export type EndLimits = {
  /** From now; what is closed in good time ends the process earlier. */
  readonly graceMs: number
  readonly insisted: AbortSignal
  readonly log: Logger
}

/** Of the grace, for the last moment of the services and for what is closed after them: pools, spans, a database of our own. */
export const closingMs = 7_000

// The last moment of the services is in it (see service.ts).
const insistedMs = 3_000
// Sockets that were closed are gone by then, and threads have ended.
const lingerMs = 1_500

/**
 * From the moment that a process stops: it ends when its grace is over, or at once when somebody has insisted, whatever
 * it still waits for. A database that does not answer, a library that tries again for ever and a port that stays open have
 * each kept a process for good. No timer here keeps one that could end by itself.
 */
export function endWithin({ graceMs, insisted, log }: EndLimits): void {
  endAfter(graceMs, { log, isFailure: true })
  const onInsisted = () => endAfter(insistedMs, { log, isFailure: true })
  if (insisted.aborted) onInsisted()
  else insisted.addEventListener('abort', onInsisted, { once: true })
}

/** When everything has been closed: nothing that is forgotten keeps the process, and it is named. */
export function endSoon(log: Logger): void {
  endAfter(lingerMs, { log, isFailure: false })
}

function endAfter(delayMs: number, { log, isFailure }: { readonly log: Logger; readonly isFailure: boolean }): void {
  setTimeout(() => {
    const open = countByKind(process.getActiveResourcesInfo())
    if (isFailure) log.error({ open }, 'not stopped in time: the process ends with what it had open')
    else log.warn({ open }, 'something was left open; the process ends without it')
    // What was logged is written first: pino listens for the exit.
    process.exit(isFailure ? 1 : process.exitCode)
  }, delayMs).unref()
}

function countByKind(kinds: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
