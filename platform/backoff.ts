/**
 * Full jitter: any delay between nothing and the limit of this attempt, so that those who failed together do not come
 * back together. `attempt` counts from 1.
 */
export function backoffMs(
  attempt: number,
  limits: { readonly baseMs: number; readonly maxMs: number },
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(attempt - 1, 52))
  return Math.round(random() * ceilingMs)
}
