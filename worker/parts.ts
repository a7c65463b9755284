import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { packagedTerminology } from '../clinical/terminology/code-systems.ts'
import { openDatabase } from '../db/client.ts'
import type { Database } from '../db/client.ts'
import { startEmbedded } from '../db/embedded/start.ts'
import { migrate } from '../db/migrate.ts'
import { loadTerminology } from '../db/terminology.ts'
import { systemClock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { openStore } from '../platform/storage/index.ts'
import { createMetrics } from '../platform/telemetry.ts'
import { openTracing } from '../platform/open-tracing.ts'
import { visionLimit } from './config.ts'
import type { WorkerConfig } from './config.ts'
import { createHandlers } from './handlers/index.ts'
import { createAiProvider, createNarrator } from './providers/ai/index.ts'
import { createMail } from './providers/mail/index.ts'
import { createMalwareScan } from './providers/malware/index.ts'
import { createLocalOcr, createOutsideOcr } from './providers/ocr/index.ts'
import { createSchedules } from './schedules.ts'
import { createWorker } from './worker.ts'
import type { Worker } from './worker.ts'

export type WorkerParts = { readonly worker: Worker; close(): Promise<void> }

/** What a worker needs where it runs: a database (our own if none is configured), a store, providers, metrics. */
export async function openWorkerParts(config: WorkerConfig, log: Logger): Promise<WorkerParts> {
  const { db, close: closeDatabase } = await openWorkerDatabase(config)
  const ocr = createLocalOcr()
  const outsideOcr = await createOutsideOcr(config.googleVision)
  const tracing = await openTracing(config.tracing, { name: 'exora-worker', environment: config.environment })
  const close = async () => {
    await tracing?.close().catch((error: unknown) => log.warn({ error }, 'the last spans were not sent'))
    await ocr.close()
    await outsideOcr?.close()
    await closeDatabase()
  }
  try {
    const store = await openStore({ storageUrl: config.storageUrl, dataDir: config.dataDir })
    const malware = createMalwareScan(config.malware)
    const schedules = createSchedules({
      store,
      malware,
      alerting: { log, webhook: config.alertWebhook, environment: config.environment },
    })
    const handlers = createHandlers({
      store,
      maxPages: config.maxPages,
      // Whoever wants fewer jobs at once than there are cores wants the other cores for something else.
      picturesAtOnce: Math.min(config.concurrency, availableParallelism()),
      ocr,
      outsideOcr: outsideOcr === null ? null : { provider: outsideOcr, limit: visionLimit },
      malware,
      ai: await createAiProvider(config.openai),
      aiUse: config.aiUse,
      clock: systemClock,
      schedules,
      mail: createMail({
        webhook: config.messageWebhook,
        folder: join(config.dataDir, 'messages'),
        environment: config.environment,
      }),
      version: config.version,
      narrator: await createNarrator(config.openai),
    })
    const metrics = createMetrics({ service: 'worker', runtime: 'collect' })
    return {
      worker: createWorker({ config, db, schedules, log, metrics, tracing, handlers, healthServer: 'listen' }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

// The engine's own statements (claims, heartbeats, rescue) and what happens by the clock, beside those of the jobs.
const connectionsForEngine = 8

// A configured database is migrated by its own command before workers are deployed; the embedded one has only us.
async function openWorkerDatabase(config: WorkerConfig): Promise<{ db: Database; close: () => Promise<void> }> {
  const embedded = config.databaseUrl === null ? await startEmbedded({ dataDir: config.dataDir }) : null
  if (embedded !== null) {
    await migrate(embedded.urls.owner)
    await loadTerminology(embedded.urls.owner, packagedTerminology)
  }
  const db = openDatabase({
    url: config.databaseUrl ?? embedded?.urls.app ?? '',
    directUrl: config.databaseDirectUrl ?? undefined,
    max: Math.min(config.concurrency, 20) + connectionsForEngine,
    applicationName: 'exora-worker',
  })
  return {
    db,
    close: async () => {
      await db.close()
      await embedded?.close()
    },
  }
}
