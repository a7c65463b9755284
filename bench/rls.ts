/**
 * What row level security costs a reader, and what the audit costs an upload. Each ratio is of medians of interleaved rounds of one run:
 * the query of a user beside the same query without row level security, an upload with its audit beside one without.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { embeddedHome, readConnectionFile } from '../db/embedded/connection-file.ts'
import { startEmbedded } from '../db/embedded/start.ts'
import { migrate } from '../db/migrate.ts'
import { measureAudit } from './rls/audit.ts'
import type { Figure } from './rls/figure.ts'
import { loadRecords, size } from './rls/load.ts'
import { measureReading } from './rls/reading.ts'

export async function measureRls(): Promise<{ figures: Figure[]; size: typeof size }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'exora-bench-'))
  const embedded = await startEmbedded({ dataDir })
  try {
    await migrate(embedded.urls.owner)
    const superuser = await superuserOf(dataDir, embedded.urls.owner)
    const figures = await measureAudit(embedded.urls)
    await loadRecords(superuser, (line) => console.log(line))
    figures.push(...(await measureReading(superuser, embedded.urls.app)))
    await superuser.end()
    return { figures, size }
  } finally {
    await embedded.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Above row level security; nothing of the product ever is. */
async function superuserOf(dataDir: string, ownerUrl: string): Promise<postgres.Sql> {
  const connection = readConnectionFile(embeddedHome(dataDir))
  if (connection === null) throw new Error('the embedded database has left no connection file')
  const url = new URL(connection.superuser)
  url.port = new URL(ownerUrl).port
  url.pathname = new URL(ownerUrl).pathname
  return postgres(url.href, { max: 1, onnotice: () => {}, connection: { plan_cache_mode: 'force_generic_plan' } })
}
