import type { Question as AnyQuestion } from '../question.ts'
import type { ContenderName } from './contender.ts'
import type { Field, Prepared } from './contenders.ts'
import type { Server } from '../server.ts'

export { atLeast, atMost } from '../question.ts'
export type { Answer, Figure } from '../question.ts'
/** One thing to know about the queue. */
export type Question = AnyQuestion<Bench>

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
