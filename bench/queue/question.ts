import type { Contender, Place } from './contender.ts'
import type { Server } from './server.ts'

/** One thing to know about the queue; answered by a file of its own. */
export type Question = {
  readonly name: string
  readonly asks: string
  answer(bench: Bench): Promise<Answer>
}

export type Bench = {
  readonly server: Server
  readonly contenders: readonly Prepared[]
  /** Of each contender; the order changes from round to round. */
  readonly rounds: number
  readonly say: (line: string) => void
}

export type Prepared = { readonly contender: Contender; readonly place: Place; readonly database: string }

export type Answer = {
  readonly figures: readonly Figure[]
  /** What the figures are made of, for whoever wants to know more. */
  readonly details: unknown
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
