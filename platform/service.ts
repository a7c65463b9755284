/** A part of a process that runs from start to stop: a listener, a pool, an HTTP server. */
export type Service = {
  readonly name: string
  start(): Promise<void>
  /** Finishes what is begun; the signal says that there is no more time. Stopping twice is harmless. */
  stop(signal: AbortSignal): Promise<void>
}

export type Running = {
  /** Stops in the reverse order of starting and returns those that failed or did not end in time. */
  stop(options: { readonly graceMs: number; readonly insisted?: AbortSignal }): Promise<readonly StopFailure[]>
}

export type StopFailure = { readonly service: string; readonly error: unknown }

/** Starts one after the other; when one fails, those already started are stopped and its error is thrown. */
export async function startAll(
  services: readonly Service[],
  limits: { readonly startMs: number; readonly graceMs: number },
): Promise<Running> {
  const started: Service[] = []
  try {
    for (const service of services) {
      // A service that fails half way through its start may still hold something.
      started.push(service)
      await within(limits.startMs, service.start(), `${service.name} did not start within ${limits.startMs} ms`)
    }
  } catch (error) {
    await stopAll(started, { graceMs: limits.graceMs })
    throw error
  }
  return { stop: (options) => stopAll(started, options) }
}

async function stopAll(
  started: readonly Service[],
  options: { readonly graceMs: number; readonly insisted?: AbortSignal },
): Promise<readonly StopFailure[]> {
  // A timer of our own: that of AbortSignal.timeout would let the process end before all have stopped.
  const grace = new AbortController()
  const timer = setTimeout(() => grace.abort(new Error(`not stopped within ${options.graceMs} ms`)), options.graceMs)
  const signal = options.insisted ? AbortSignal.any([grace.signal, options.insisted]) : grace.signal
  const failures: StopFailure[] = []
  for (const service of started.toReversed()) {
    try {
      await untilAborted(service.stop(signal), signal)
    } catch (error) {
      failures.push({ service: service.name, error })
    }
  }
  clearTimeout(timer)
  return failures
}

// After the signal a service has this long to let go of what it holds.
const lastMomentMs = 2_000

async function untilAborted(stopping: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => reject(signal.reason), lastMomentMs)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([stopping, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

async function within<T>(limitMs: number, work: Promise<T>, message: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(message)), limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
