export type Figure = {
  readonly name: string
  readonly value: number
  readonly goal: string
  readonly holds: boolean
  /** Medians in milliseconds, for whoever wants to know what the ratio is of. */
  readonly medians_ms: readonly [number, number]
}

export function ratioFigure(
  name: string,
  samples: { readonly measured: readonly number[]; readonly baseline: readonly number[] },
  limit: number,
): Figure {
  const medians = [median(samples.measured), median(samples.baseline)] as const
  const value = Math.round((medians[0] / medians[1]) * 1000) / 1000
  return { name, value, goal: `<= ${limit}`, holds: value <= limit, medians_ms: [inMs(medians[0]), inMs(medians[1])] }
}

const inMs = (value: number) => Math.round(value * 1000) / 1000

function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
