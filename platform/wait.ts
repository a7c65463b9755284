import { setTimeout as delay } from 'node:timers/promises'

/** Resolves after the time, or rejects with the signal's reason as soon as it is aborted. */
export async function wait(delayMs: number, options: { signal?: AbortSignal } = {}): Promise<void> {
  options.signal?.throwIfAborted()
  try {
    await delay(delayMs, undefined, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error
  }
}

export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
