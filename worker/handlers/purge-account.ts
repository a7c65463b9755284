/**
 * The purge of an account: a row of steps, each done when it has committed. A step that is run again does what is left
 * of it, so it does not matter where a run ends, nor how: the next begins at the first step and comes to the same end.
 */
import {
  beginAccountPurge,
  finishAccountPurge,
  listExportsToPurge,
  listFilesToPurge,
  purgeDataExport,
  purgePeople,
  purgeShellFile,
} from '../../db/queries/closures.ts'
import type { StoredRow } from '../../db/queries/closures.ts'
import type { Tx } from '../../db/actor.ts'
import { jobs } from '../../jobs/index.ts'
import type { PayloadOf } from '../../jobs/job.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { Handler } from '../engine/handler.ts'
import type { HandlerDeps } from './deps.ts'

export type PurgeContext = {
  readonly store: Store
  /** A transaction of the service; what has been lost or called off throws. */
  readonly write: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
}

export function createPurgeAccount({ store }: HandlerDeps): Handler<PayloadOf<typeof jobs.purge_account>> {
  return {
    job: jobs.purge_account,
    run: async ({ closure_id: closureId }, { write, signal }) => {
      const steps = purgeSteps(closureId, { store, write })
      for (let next = await steps.next(); next.done !== true; next = await steps.next()) signal.throwIfAborted()
      return { kind: 'done' }
    },
  }
}

/** Says what was done after each commit, so that a test can stop there. */
export async function* purgeSteps(closureId: string, context: PurgeContext): AsyncGenerator<string> {
  const { write } = context
  if (!(await write((tx) => beginAccountPurge(tx, closureId)))) return
  yield 'begun'
  do {
    yield* erase(context, {
      list: (tx, limit) => listFilesToPurge(tx, closureId, limit),
      erase: (tx, row) => purgeShellFile(tx, closureId, row.id),
    })
    yield* erase(context, {
      list: (tx, limit) => listExportsToPurge(tx, closureId, limit),
      erase: (tx, row) => purgeDataExport(tx, closureId, row.id),
    })
  } while (!(await write((tx) => purgePeople(tx, closureId))))
  yield 'people erased'
  await write((tx) => finishAccountPurge(tx, closureId))
  yield 'account erased'
}

const rowsAtOnce = 100

type Erasing = {
  readonly list: (tx: Tx, limit: number) => Promise<readonly StoredRow[]>
  readonly erase: (tx: Tx, row: StoredRow) => Promise<void>
}

// The object first: as long as it may be there, a row says where.
async function* erase({ store, write }: PurgeContext, rows: Erasing): AsyncGenerator<string> {
  for (;;) {
    const found = await write((tx) => rows.list(tx, rowsAtOnce))
    if (found.length === 0) return
    for (const row of found) {
      await store.delete(row.storageKey)
      yield 'object deleted'
      await write((tx) => rows.erase(tx, row))
      yield 'rows erased'
    }
  }
}
