import { existsSync } from 'node:fs'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { defaultDataDir, embeddedHome } from '../../db/embedded/connection-file.ts'
import { startEmbedded } from '../../db/embedded/start.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The configured database, else the embedded one of `DATA_DIR`, which is joined where it runs and started where not. */
export async function openAuditedDatabase(
  env: Env,
): Promise<{ readonly db: Database; readonly close: () => Promise<void> }> {
  const configured = env['DATABASE_DIRECT_URL'] || env['DATABASE_URL']
  const dataDir = env['DATA_DIR'] || defaultDataDir
  if (!configured && !existsSync(embeddedHome(dataDir)))
    throw new Error('No database: set DATABASE_DIRECT_URL or DATABASE_URL, or DATA_DIR to the folder of an Exora.')
  const embedded = configured ? null : await startEmbedded({ dataDir })
  const url = configured || (embedded?.urls.app ?? '')
  const db = openDatabase({ url, applicationName: 'exora-audit-verify', max: 1 })
  return {
    db,
    close: async () => {
      await db.close()
      await embedded?.close()
    },
  }
}
