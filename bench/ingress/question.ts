import type { Question as AnyQuestion } from '../question.ts'
import type { HttpProcess, Uploader } from './servers.ts'

export { atLeast, atMost } from '../question.ts'
export type { Answer } from '../question.ts'
/** One thing to know about the ingress. */
export type Question = AnyQuestion<Bench>

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
