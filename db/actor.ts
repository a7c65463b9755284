import { isIP } from 'node:net'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Database, Drizzle } from './client.ts'

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
}

/** Runs the work in a transaction that sees and may do what the actor may. */
export async function asActor<T>(db: Database, actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (actor.role === 'authenticated' && actor.accountId === null)
    throw new TypeError('an authenticated actor has an account')
  const claims = { ...actor.claims, sub: actor.accountId ?? undefined, role: actor.role }
  return await inTransaction(db, work, {
    role: actor.role,
    claims,
    correlationId: actor.correlationId,
    initiatedBy: actor.accountId,
    clientAddress: actor.clientAddress ?? null,
  })
}

/** Runs the work in a transaction of the service, carrying who started it. */
export async function asService<T>(db: Database, context: ServiceContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await inTransaction(db, work, { role: 'service_role', claims: { role: 'service_role' }, ...context })
}

/** Runs one statement as the service, as one round trip where the database can be reached without a pooler. */
export async function askAsService<T>(db: Database, ask: (sql: postgres.ISql) => Promise<T>): Promise<T> {
  const { service } = db
  if (service !== null && !service.areRefused()) {
    try {
      return await service.ask(ask)
    } catch (error) {
      if (!service.areRefused()) throw error
    }
  }
  // `begin` would unwrap arrays of promises, hence a holder.
  const { answer } = await db.sql.begin(async (tx) => {
    await tx`select set_config('role', 'service_role', true), set_config('request.jwt.claims', ${serviceClaims}, true)`
    return { answer: await ask(tx) }
  })
  return answer
}

const serviceClaims = JSON.stringify({ role: 'service_role' })

type Identity = ServiceContext & {
  readonly role: 'anon' | 'authenticated' | 'service_role'
  readonly claims: Readonly<Record<string, unknown>>
  readonly clientAddress?: string | null
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
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(bare) === 0 ? '' : bare
}
