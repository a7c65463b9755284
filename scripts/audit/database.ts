import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { findInstallation } from '../installation.ts'

type Env = Readonly<Record<string, string | undefined>>

export async function openAuditedDatabase(
  env: Env,
): Promise<{ readonly db: Database; readonly close: () => Promise<void> }> {
  const installation = await findInstallation(env)
  const db = openDatabase({ url: installation.url, applicationName: 'exora-audit-verify', max: 1 })
  return {
    db,
    close: async () => {
      await db.close()
      await installation.close()
    },
  }
}
