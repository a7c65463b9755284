import type { Plot } from '../queue/chart.ts'
import { atLeast, atMost } from '../queue/question.ts'
import type { Figure } from '../queue/question.ts'
import type { HttpProcess, Uploader } from './servers.ts'

export { atLeast, atMost }

/** One thing to know about the ingress; answered by a file of its own. */
export type Question = {
  readonly name: string
  readonly asks: string
  answer(bench: Bench): Promise<Answer>
}

export type Bench = {
  readonly rounds: number
  readonly say: (line: string) => void
  /** Accounts of ours; the bare server asks nobody who he is. */
  readonly uploaders: readonly Uploader[]
  /** Another process each time; several of ours share database and files. */
  start(side: 'exora' | 'bare', env?: Readonly<Record<string, string>>): Promise<HttpProcess>
  /** Rows and files of what has been measured go. */
  forget(side: 'exora' | 'bare'): Promise<void>
  /** Dirty pages of what was before are not written during what is measured next. */
  settle(): Promise<void>
  /** Asks the database of ours as its owner. */
  count(question: string): Promise<number>
  /** Objects in the store of ours, finished or not. */
  objects(): Promise<number>
}

export type Answer = {
  readonly figures: readonly Figure[]
  readonly table: readonly Readonly<Record<string, string | number>>[]
  readonly details: Readonly<Record<string, unknown>>
  readonly plots: readonly Plot[]
}
