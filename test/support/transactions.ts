import type { Tx } from '../../db/actor.ts'

export type OpenTransaction<T> = {
  /** What its work gave; it has not been committed. */
  readonly result: T
  commit(): Promise<void>
}

/** One side of a race: a transaction that has done its work and keeps its locks until it is told to commit. */
export async function keepOpen<T>(
  begin: (work: (tx: Tx) => Promise<void>) => Promise<void>,
  work: (tx: Tx) => Promise<T>,
): Promise<OpenTransaction<T>> {
  const worked = Promise.withResolvers<T>()
  const told = Promise.withResolvers<void>()
  const ended = begin(async (tx) => {
    worked.resolve(await work(tx))
    await told.promise
  })
  ended.catch(worked.reject)
  const result = await worked.promise
  return {
    result,
    commit: async () => {
      told.resolve()
      await ended
    },
  }
}
