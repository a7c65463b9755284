const minuteMs = 60_000

export type UsePoint = { readonly atMs: number; readonly share: number }

/** The share of the limit that was used in the 60 s before each moment. `served` is in order of time. */
export function useOverTime(
  served: readonly number[],
  limit: number,
  range: { readonly fromMs: number; readonly toMs: number; readonly everyMs: number },
): readonly UsePoint[] {
  const points: UsePoint[] = []
  let first = 0
  let next = 0
  for (let atMs = range.fromMs; atMs <= range.toMs; atMs += range.everyMs) {
    while (next < served.length && (served[next] ?? 0) <= atMs) next += 1
    while (first < next && (served[first] ?? 0) <= atMs - minuteMs) first += 1
    points.push({ atMs, share: (next - first) / limit })
  }
  return points
}

/** The most calls in any 60 s, wherever they begin. */
export function mostInAnyMinute(arrived: readonly number[]): number {
  const inOrder = arrived.toSorted((a, b) => a - b)
  let first = 0
  let most = 0
  inOrder.forEach((at, index) => {
    while ((inOrder[first] ?? at) <= at - minuteMs) first += 1
    most = Math.max(most, index - first + 1)
  })
  return most
}

export const best = (points: readonly UsePoint[]) => Math.max(...points.map(({ share }) => share))
export const worst = (points: readonly UsePoint[]) => Math.min(...points.map(({ share }) => share))
export const mean = (points: readonly UsePoint[]) => points.reduce((sum, { share }) => sum + share, 0) / points.length
