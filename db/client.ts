import { drizzle } from 'drizzle-orm/postgres-js'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { withFencedTransactions } from './fenced-begin.ts'
import { createListening } from './listening.ts'
import type { Listening } from './listening.ts'
import * as schema from './schema/index.ts'
import { openRoleSessions } from './role-sessions.ts'
import type { RoleSessions, RoleSessionsWanted } from './role-sessions.ts'
import { openSocket } from './sockets.ts'

export type Schema = typeof schema
export type Drizzle = PostgresJsDatabase<Schema>

export type Database = {
  /** For typed queries. It changes how its client parses dates and JSON, hence a client of its own. */
  readonly drizzle: Drizzle
  /** For functions and hot statements: postgres.js as it is. */
  readonly sql: postgres.Sql
  /**
   * Sessions that are the service from their first moment, so that a single statement needs no transaction around it.
   * Null where only a pooler in transaction mode can be reached: it would hand such a session to somebody else.
   */
  readonly service: RoleSessions | null
  /** The same for accounts: they may call what accounts may, and are nobody until a statement says who asks. */
  readonly accounts: RoleSessions | null
  /** On a connection of its own, one for all channels, which comes back by itself. */
  readonly listen: Listening['listen']
  /** For who has proof that this connection is deaf. */
  readonly relisten: Listening['relisten']
  /** The same for all connections that lead straight to the server: the way may be dead, and nobody has told them. */
  readonly reconnect: () => void
  /** See `DatabaseOptions`. */
  readonly idleTransactionMs: number
  /** For a thread, which cannot share ours and opens its own. */
  readonly connection: Connection
  close(): Promise<void>
}

/** Where and how a client connects, as plain data. */
export type Connection = {
  readonly url: string
  readonly isPooled: boolean
  readonly applicationName: string
}

export type DatabaseOptions = {
  /** May go through a pooler in transaction mode. */
  readonly url: string
  /** Straight to the server, for LISTEN; the same as `url` when there is no pooler. */
  readonly directUrl?: string | undefined
  /** Connections of each of the two clients for transactions, and of the sessions of accounts. */
  readonly max?: number
  /**
   * How long a transaction may wait for us before the server ends it and its locks: a process that is frozen in the
   * middle of one must not keep a job from everybody else for ever. 20 s if not given: longer than a lease, since a
   * handler that blocks the event loop for a while keeps its lease and should keep its transaction.
   */
  readonly idleTransactionMs?: number
  readonly applicationName: string
  /** `auto` looks at the URL: behind a pooler in transaction mode prepared statements fail or hang. */
  readonly pooling?: 'auto' | 'pooled' | 'direct'
}

const fromMsToS = 1 / 1000
const reconnectMs = 500
// For statements that are under way; nobody waits for those of a server that no longer answers.
const closingSeconds = 2

export function openDatabase(options: DatabaseOptions): Database {
  const isPooled = options.pooling === 'pooled' || (options.pooling !== 'direct' && looksPooled(options.url))
  const settings = {
    max: options.max ?? 10,
    prepare: !isPooled,
    connect_timeout: 10,
    onnotice: () => {},
    socket: openSocket,
    backoff: () => reconnectMs * fromMsToS,
    connection: { application_name: options.applicationName },
  }
  const forDrizzle = withFencedTransactions(postgres(forDriver(options.url), settings))
  const sql = withFencedTransactions(postgres(forDriver(options.url), settings))
  // A pooler without a mark: what is prepared in one of its sessions is asked of another.
  const forgetPrepared = () => {
    for (const client of [forDrizzle, sql]) client.options.prepare = false
  }
  const directUrl = options.directUrl ?? (isPooled ? null : options.url)
  const sessions = (wanted: Omit<RoleSessionsWanted, 'onRefused'>) =>
    directUrl === null
      ? null
      : openRoleSessions(forDriver(directUrl), settings, { ...wanted, onRefused: forgetPrepared })
  // Few: its statements are short, and several share one.
  const service = sessions({
    start: { role: 'service_role', 'request.jwt.claims': '{"role":"service_role"}' },
    max: 3,
    sharing: 'shared',
  })
  const accounts = sessions({
    start: { role: 'authenticated', 'request.jwt.claims': '{}' },
    max: settings.max,
    sharing: 'one at a time',
  })
  const listening = createListening(forDriver(options.directUrl ?? options.url), settings)

  return {
    idleTransactionMs: options.idleTransactionMs ?? 20_000,
    connection: { url: forDriver(options.url), isPooled, applicationName: options.applicationName },
    drizzle: drizzle(forDrizzle, { schema, casing: 'snake_case' }),
    sql,
    service,
    accounts,
    listen: listening.listen,
    relisten: listening.relisten,
    reconnect: () => {
      service?.renew()
      accounts?.renew()
      listening.relisten()
    },
    close: async () => {
      const pools = [forDrizzle, sql].map((pool) => pool.end({ timeout: closingSeconds }))
      await Promise.all([...pools, service?.close(), accounts?.close(), listening.close()])
    },
  }
}

const poolerPorts = new Set(['6432', '6543'])

/** The marks that PgBouncer, Supabase and Prisma-style URLs leave in a URL. */
export function looksPooled(url: string): boolean {
  const { hostname, port, searchParams } = new URL(url)
  return searchParams.get('pgbouncer') === 'true' || poolerPorts.has(port) || /pooler|pgbouncer/i.test(hostname)
}

// Marks for other drivers; ours would send them to the server, which refuses settings that it does not know.
const foreignParameters = ['pgbouncer', 'connection_limit', 'pool_timeout', 'schema']

function forDriver(url: string): string {
  const cleaned = new URL(url)
  for (const name of foreignParameters) cleaned.searchParams.delete(name)
  return cleaned.href
}
