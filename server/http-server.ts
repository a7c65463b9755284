import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Database } from '../db/client.ts'
import type { Logger } from '../platform/log.ts'
import type { Service } from '../platform/service.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Metrics } from '../platform/telemetry.ts'
import type { Tracing } from '../platform/tracing.ts'
import { buildApp } from './app.ts'
import type { ServerConfig } from './config.ts'
import { openEmbeddedAccounts } from './routes/auth/embedded-accounts.ts'
import type { EmbeddedAccounts } from './routes/auth/embedded-accounts.ts'
import type { RenderPage } from './routes/documents/page-pictures.ts'
import type { Server } from './types.ts'

export type HttpServer = Service & {
  /** Known once it has started: `http://127.0.0.1:8080`. */
  readonly address: () => string
}

export type HttpServerDeps = {
  readonly config: ServerConfig
  readonly db: Database
  readonly store: Store
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracing: Tracing | null
  readonly renderPage: RenderPage
}

// A thousand people who press the button together are a thousand connections at once.
const backlog = 4096

/** The API as a part of a process, started and stopped with the others. Opens no database and closes none. */
export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const { config, log } = deps
  let app: Server | null = null
  let address = ''
  return {
    name: 'http',
    address: () => address,
    start: async () => {
      const accounts = await openAccounts(deps)
      app = await buildApp({ ...deps, accounts })
      address = await app.listen({ host: config.host, port: config.port, backlog })
      log.info({ event: 'listening', address }, 'the API listens')
    },
    stop: async (signal) => {
      const open = app
      if (open === null) return
      // What is begun may finish; when there is no more time, sockets are closed under it.
      const cut = () => open.server.closeAllConnections()
      signal.addEventListener('abort', cut, { once: true })
      await open.close()
      signal.removeEventListener('abort', cut)
    },
  }
}

async function openAccounts({ config, db }: HttpServerDeps): Promise<EmbeddedAccounts | null> {
  if (config.auth.kind !== 'embedded') return null
  const secret = config.auth.secret ?? (await keptSecret(config.dataDir))
  return await openEmbeddedAccounts(db, { ...config.auth, secret })
}

/** Made once and kept beside the data, so that sessions and signing keys outlive a restart. */
async function keptSecret(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'keys')
  const path = join(folder, 'accounts-secret')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await writeFile(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return (await readFile(path, 'utf8')).trim()
}
