import { startEmbedded } from '../db/embedded/start.ts'
import { defaultDataDir } from '../db/embedded/connection-file.ts'
import { packagedTerminology } from '../clinical/terminology/code-systems.ts'
import { migrate } from '../db/migrate.ts'
import { loadTerminology } from '../db/terminology.ts'
import { runMain } from '../platform/run-main.ts'

await runMain(async () => {
  // Migrations need a session of their own: a pooled URL is only used when there is no direct one.
  const configured = process.env['DATABASE_DIRECT_URL'] || process.env['DATABASE_URL']
  const embedded = configured ? null : await startEmbedded({ dataDir: process.env['DATA_DIR'] || defaultDataDir })
  try {
    const ownerUrl = configured || (embedded?.urls.owner ?? '')
    const result = await migrate(ownerUrl)
    console.log(`${result.migrations} migrations and ${result.sqlFiles.length} SQL files applied`)
    const loaded = await loadTerminology(ownerUrl, packagedTerminology)
    console.log(loaded.length === 0 ? 'The terminology is up to date' : `${loaded.join(', ')} loaded`)
  } finally {
    await embedded?.close()
  }
})
