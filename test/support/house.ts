import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import type { Database } from '../../db/client.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import type { Store } from '../../platform/storage/store.ts'
import { ownerSql } from './actors.ts'
import { testDatabase } from './postgres.ts'
import type { Teardown } from './postgres.ts'
import { scratchRoot } from './scratch.ts'

/** A database and a store, and the owner who sees all of it. */
export type House = { readonly db: Database; readonly owner: postgres.Sql; readonly store: Store }

export async function openHouse(t: Teardown): Promise<House> {
  const { db, ownerUrl } = await testDatabase(t)
  const folder = await mkdtemp(join(scratchRoot(), 'exora-house-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return { db, owner: ownerSql(t, ownerUrl), store: await openDiskStore(folder) }
}
