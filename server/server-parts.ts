import { openDatabase } from '../db/client.ts'
import type { Database } from '../db/client.ts'
import { startEmbedded } from '../db/embedded/start.ts'
import { migrate } from '../db/migrate.ts'
import type { Logger } from '../platform/log.ts'
import { renderPage } from '../platform/rendering/render-page.ts'
import { openStore } from '../platform/storage/index.ts'
import { createMetrics } from '../platform/telemetry.ts'
import { openTracing } from '../platform/open-tracing.ts'
import type { ServerConfig } from './config.ts'
import { createHttpServer } from './http-server.ts'
import type { HttpServer } from './http-server.ts'

export type ServerParts = { readonly http: HttpServer; close(): Promise<void> }

const connections = 20

/** What the server needs where it runs alone: a database (our own if none is configured), a store, metrics. */
export async function openServerParts(config: ServerConfig, log: Logger): Promise<ServerParts> {
  const { db, close } = await openServerDatabase(config)
  try {
    const store = await openStore({ storageUrl: config.storageUrl, dataDir: config.dataDir })
    const metrics = createMetrics({ service: 'server', runtime: 'collect' })
    const tracing = await openTracing(config.tracing, { name: 'exora-server', environment: config.environment })
    return {
      http: createHttpServer({ config, db, store, log, metrics, tracing, renderPage }),
      close: async () => {
        await tracing?.close().catch((error: unknown) => log.warn({ error }, 'the last spans were not sent'))
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

// A configured database is migrated by its own command before the server is deployed; the embedded one has only us.
async function openServerDatabase(config: ServerConfig): Promise<{ db: Database; close: () => Promise<void> }> {
  const embedded = config.databaseUrl === null ? await startEmbedded({ dataDir: config.dataDir }) : null
  if (embedded !== null) await migrate(embedded.urls.owner)
  const db = openDatabase({
    url: config.databaseUrl ?? embedded?.urls.app ?? '',
    directUrl: config.databaseDirectUrl ?? undefined,
    max: connections,
    applicationName: 'exora-server',
  })
  return {
    db,
    close: async () => {
      await db.close()
      await embedded?.close()
    },
  }
}
