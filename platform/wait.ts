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
