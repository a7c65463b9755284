import { isIP } from 'node:net'
import { sql } from 'drizzle-orm'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import postgres from 'postgres'
import type { Database, Drizzle } from './client.ts'
import { isRoleRefused } from './role-sessions.ts'
import type { RoleSessions } from './role-sessions.ts'

/** A transaction in which an actor or a service has been established. */
export type Tx = Parameters<Parameters<Drizzle['transaction']>[0]>[0]

/** Who makes a request: an account with a verified token, or nobody in particular. */
export type Actor = {
  readonly accountId: string | null
  readonly role: 'authenticated' | 'anon'
  /** Of the verified token; `sub` and `role` are set from the two fields above, whatever they say. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly correlationId: string
  /** Where the request came from; goes into the audit. */
  readonly clientAddress?: string | null
}

/** On whose behalf a worker or a scheduled task acts; goes into the audit. */
export type ServiceContext = {
  readonly initiatedBy?: string | null
  readonly patientId?: string | null
  readonly jobId?: string | null
  readonly correlationId?: string | null
  /** Where the request came from, where there is one. */
  readonly clientAddress?: string | null
}

/** Runs the work in a transaction that sees and may do what the actor may. */
export async function asActor<T>(db: Database, actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await inTransaction(db, work, {
    role: actor.role,
    claims: claimsOf(actor),
    correlationId: actor.correlationId,
    initiatedBy: actor.accountId,
    clientAddress: actor.clientAddress ?? null,
  })
}

/**
 * What a function answers to the actor, who has an account: a transaction of one statement, and one round trip where the
 * database can be reached without a pooler. Arrays are given as text: these sessions know no types but the basic ones.
 */
export async function callAsActor(
  db: Database,
  actor: Actor,
  call: (part: postgres.ISql) => postgres.PendingQuery<postgres.Row[]>,
): Promise<unknown> {
  const claims = JSON.stringify(claimsOf({ ...actor, role: 'authenticated' }))
  const address = inetOf(actor.clientAddress ?? '')
  // A CTE that is not inlined has set everything before the function is called.
  const ask = (session: postgres.ISql) => session<{ answer: unknown }[]>`
    with identity as materialized (
      select
        set_config('request.jwt.claims', ${claims}, true),
        set_config('exora.correlation_id', ${actor.correlationId}, true),
        set_config('exora.initiated_by', ${actor.accountId}, true),
        set_config('exora.client_address', ${address}, true)
    )
    select ${call(session)} as answer from identity`
  try {
    const [row] = await inSession(db.accounts, ask, async () => await begin(db, 'authenticated', ask))
    return row?.answer
  } catch (error) {
    // What the way to the database met is told apart from faults of other ways by this name.
    throw error instanceof postgres.PostgresError ? error : new DrizzleQueryError('a call', [], asError(error))
  }
}

function claimsOf(actor: Actor): Readonly<Record<string, unknown>> {
  if (actor.role === 'authenticated' && actor.accountId === null)
    throw new TypeError('an authenticated actor has an account')
  return { ...actor.claims, sub: actor.accountId ?? undefined, role: actor.role }
}

/** Runs the work in a transaction of the service, carrying who started it. */
export async function asService<T>(db: Database, context: ServiceContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await inTransaction(db, work, { role: 'service_role', claims: { role: 'service_role' }, ...context })
}

/** Runs one statement as the service, as one round trip where the database can be reached without a pooler. */
export async function askAsService<T>(db: Database, ask: (sql: postgres.ISql) => Promise<T>): Promise<T> {
  return await inSession(db.service, ask, async () => await begin(db, 'service_role', ask))
}

/** In a session that has its role already, or, where a pooler refuses those, in another way. */
async function inSession<T>(
  sessions: RoleSessions | null,
  ask: (sql: postgres.ISql) => Promise<T>,
  otherwise: () => Promise<T>,
): Promise<T> {
  if (sessions !== null && !sessions.areRefused()) {
    try {
      return await sessions.ask(ask)
    } catch (error) {
      // By the one refusal after which it was surely not done; others may have met it meanwhile.
      if (!isRoleRefused(error)) throw error
    }
  }
  return await otherwise()
}

async function begin<T>(db: Database, role: string, ask: (sql: postgres.ISql) => Promise<T>): Promise<T> {
  const claims = JSON.stringify({ role })
  // `begin` would unwrap arrays of promises, hence a holder.
  const { answer } = await db.sql.begin(async (tx) => {
    await tx`
      select
        set_config('role', ${role}, true),
        set_config('request.jwt.claims', ${claims}, true),
        set_config('idle_in_transaction_session_timeout', ${String(db.idleTransactionMs)}, true)`
    return { answer: await ask(tx) }
  })
  return answer
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error('no error', { cause: error }))

type Identity = ServiceContext & {
  readonly role: 'anon' | 'authenticated' | 'service_role'
  readonly claims: Readonly<Record<string, unknown>>
}

// One statement sets everything, for this transaction only: the connection goes back to the pool as it came.
async function inTransaction<T>(db: Database, work: (tx: Tx) => Promise<T>, identity: Identity): Promise<T> {
  return await db.drizzle.transaction(async (tx) => {
    await tx.execute(sql`
      select
        set_config('role', ${identity.role}, true),
        set_config('request.jwt.claims', ${JSON.stringify(identity.claims)}, true),
        set_config('exora.correlation_id', ${identity.correlationId ?? ''}, true),
        set_config('exora.initiated_by', ${identity.initiatedBy ?? ''}, true),
        set_config('exora.patient_id', ${identity.patientId ?? ''}, true),
        set_config('exora.job_id', ${identity.jobId ?? ''}, true),
        set_config('exora.client_address', ${inetOf(identity.clientAddress ?? '')}, true),
        set_config('idle_in_transaction_session_timeout', ${String(db.idleTransactionMs)}, true)`)
    return await work(tx)
  })
}

/** Empty for what PostgreSQL would not take: a proxy that writes something odd must not keep a change from its audit. */
export function inetOf(address: string): string {
  // Some proxies write the port, too.
  const host = address.replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
  const bare = host.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(bare) === 0 ? '' : bare
}
