import { existsSync } from 'node:fs'
import { defaultDataDir, embeddedHome } from '../db/embedded/connection-file.ts'
import { ConfigurationError } from '../platform/env.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The configured database, else the embedded one of `DATA_DIR`, which is joined where it runs and started where not. */
export async function findInstallation(
  env: Env,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const configured = env['DATABASE_DIRECT_URL'] || env['DATABASE_URL']
  if (configured) return { url: configured, close: async () => {} }
  const dataDir = env['DATA_DIR'] || defaultDataDir
  if (!existsSync(embeddedHome(dataDir))) {
    throw new ConfigurationError(
      'No database: set DATABASE_DIRECT_URL or DATABASE_URL, or DATA_DIR to the folder of an Exora.',
    )
  }
  // Loaded where there is one, so that commands on another database begin sooner.
  const { startEmbedded } = await import('../db/embedded/start.ts')
  const embedded = await startEmbedded({ dataDir })
  return { url: embedded.urls.app, close: () => embedded.close() }
}
