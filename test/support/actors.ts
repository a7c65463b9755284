import { randomUUID } from 'node:crypto'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import postgres from 'postgres'
import { asActor, asService } from '../../db/actor.ts'
import type { Actor, ServiceContext } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import type { Teardown } from './postgres.ts'

/** Somebody who can log in, with the profile of themselves. The two ids are never equal. */
export type Account = { readonly accountId: string; readonly profileId: string; readonly actor: Actor }

export async function signUp(db: Database, displayName = 'Somebody'): Promise<Account> {
  const accountId = randomUUID()
  const email = `${accountId}@example.test`
  const [row] = await asService(db, {}, (tx) =>
    tx.execute<{ id: string }>(sql`select public.provision_account(${accountId}, ${email}, ${displayName}) as id`),
  )
  if (row === undefined) throw new Error('provision_account answered nothing')
  return { accountId, profileId: row.id, actor: actorOf(accountId) }
}

export function actorOf(accountId: string, correlationId = `c-${accountId}`): Actor {
  return { accountId, role: 'authenticated', claims: {}, correlationId }
}

export const anonymous: Actor = { accountId: null, role: 'anon', claims: {}, correlationId: 'c-anon' }

/** Rows that a statement gives an actor. */
export async function ask<T extends Record<string, unknown>>(db: Database, actor: Actor, query: SQL) {
  return await asActor(db, actor, async (tx) => [...(await tx.execute<T>(query))])
}

/** The one value of the one row that a statement gives: `select f(...) as value`. */
export async function askOne(db: Database, actor: Actor, query: SQL): Promise<unknown> {
  return (await ask<{ value: unknown }>(db, actor, query))[0]?.value
}

export async function serve<T extends Record<string, unknown>>(db: Database, query: SQL, context: ServiceContext = {}) {
  return await asService(db, context, async (tx) => [...(await tx.execute<T>(query))])
}

/** The SQLSTATE with which the database refuses some work, or `allowed`. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'allowed'
  } catch (error) {
    const cause = error instanceof DrizzleQueryError ? error.cause : error
    if (cause instanceof postgres.PostgresError) return cause.code
    throw error
  }
}

/** What the database says beside a refusal. */
export async function refusalDetail(work: Promise<unknown>): Promise<unknown> {
  const failed = await work.then(
    () => null,
    (error: unknown) => (error instanceof DrizzleQueryError ? error.cause : error),
  )
  if (!(failed instanceof postgres.PostgresError)) throw new Error('nothing was refused')
  return JSON.parse(failed.detail ?? 'null')
}

/** The owner of the database: sees and changes what no role may, as an operator with psql would. */
export function ownerSql(t: Teardown, ownerUrl: string): postgres.Sql {
  const owner = postgres(ownerUrl, { max: 2, onnotice: () => {} })
  t.teardown(() => owner.end({ timeout: 5 }))
  return owner
}
