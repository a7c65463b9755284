import { wait } from '../../platform/wait.ts'

/**
 * Tries again until the assertion holds, and fails as it failed last. Only for what happens in another process and
 * gives no signal of its own; inside a process wait for the signal instead.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (performance.now() >= giveUpAt) throw error
    }
    await wait(everyMs)
  }
}
