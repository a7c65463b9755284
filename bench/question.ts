import type { Plot } from '../scripts/plots/bar-chart.ts'

/** One thing to know, answered by a file of its own with what its measurement has set up. */
export type Question<Bench> = {
  readonly name: string
  readonly asks: string
  answer(bench: Bench): Promise<Answer>
}

export type Answer = {
  readonly figures: readonly Figure[]
  /** Who did how well: one row for each contender or way. */
  readonly table: readonly Readonly<Record<string, string | number>>[]
  /** What the figures are made of, for whoever wants to know more. */
  readonly details: Readonly<Record<string, unknown>>
  readonly plots: readonly Plot[]
}

export type Figure = {
  readonly name: string
  readonly value: number
  readonly goal: string
  readonly holds: boolean
}

export const atMost = (name: string, value: number, limit: number): Figure => ({
  name,
  value,
  goal: `<= ${limit}`,
  holds: value <= limit,
})

export const atLeast = (name: string, value: number, limit: number): Figure => ({
  name,
  value,
  goal: `>= ${limit}`,
  holds: value >= limit,
})
