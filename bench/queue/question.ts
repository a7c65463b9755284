import type { Plot } from './chart.ts'
import type { ContenderName } from './contender.ts'
import type { Field, Prepared } from './contenders.ts'
import type { Server } from './server.ts'

/** One thing to know about the queue; answered by a file of its own. */
export type Question = {
  readonly name: string
  readonly asks: string
  answer(bench: Bench): Promise<Answer>
}

export type Bench = {
  readonly server: Server
  readonly field: Field
  /** Of each contender; the order changes from round to round. */
  readonly rounds: number
  /** Of how many jobs there are: 1 for the figures that count. */
  readonly scale: number
  readonly say: (line: string) => void
}

/** Rows for those who are not measured here, so that nobody wonders. */
export const missingRows = ({ field }: Bench) =>
  Object.entries(field.missing).map(([contender, why]) => ({ contender, remark: why }))

/** All but the floor, which can do nothing but be picked up from. */
export const queuesOf = ({ field }: Bench): readonly Prepared[] =>
  field.prepared.filter(({ contender }) => contender.name !== 'floor')

export function preparedOf({ field }: Bench, name: ContenderName): Prepared | undefined {
  return field.prepared.find(({ contender }) => contender.name === name)
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
