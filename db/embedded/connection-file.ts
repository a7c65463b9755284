// drizzle-kit bundles this file together with its configuration, so it imports nothing but node: modules.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the running embedded database leaves beside its data (mode 0600) for whoever may read that folder. */
export type ConnectionFile = {
  readonly port: number
  readonly superuser: string
  readonly owner: string
  readonly app: string
}

export const defaultDataDir = '.exora'
export const embeddedHome = (dataDir: string) => join(dataDir, 'postgres')
export const connectionFilePath = (home: string) => join(home, 'connection.json')

// Never answers: `generate` and `check` need a URL to be there, not to work.
const placeholderUrl = 'postgres://nobody@127.0.0.1:1/exora'

export function readConnectionFile(home: string): ConnectionFile | null {
  try {
    return parseConnection(readFileSync(connectionFilePath(home), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function parseConnection(text: string): ConnectionFile {
  const entries = new Map<string, unknown>(Object.entries(JSON.parse(text)))
  const url = (name: string) => {
    const value = entries.get(name)
    if (typeof value === 'string' && value.startsWith('postgres://')) return value
    throw new Error(`The connection file of the embedded database has no usable "${name}".`)
  }
  const owner = url('owner')
  return { port: Number(new URL(owner).port), superuser: url('superuser'), owner, app: url('app') }
}

/** The database that drizzle-kit opens: the configured one, else the embedded one of `DATA_DIR`. */
export function studioDatabaseUrl(env: Readonly<Record<string, string | undefined>>): string {
  const configured = env['DATABASE_DIRECT_URL'] || env['DATABASE_URL']
  if (configured) return configured
  return readConnectionFile(embeddedHome(env['DATA_DIR'] || defaultDataDir))?.owner ?? placeholderUrl
}
