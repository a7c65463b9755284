import type { Question as AnyQuestion } from '../question.ts'

export { atLeast, atMost } from '../question.ts'
export type { Answer, Figure } from '../question.ts'
/** One thing to know about the reading. */
export type Question = AnyQuestion<Bench>

export type Bench = {
  readonly rounds: number
  readonly say: (line: string) => void
  /** For files that are made for the measurement; it is gone afterwards. */
  readonly folder: string
  /** Folder of the development corpus; null where there is none. */
  readonly corpus: string | null
}
