import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import type { Database } from '../client.ts'

/**
 * The generation of an account's logins (66-logins.sql): read before a secret is looked at, and said when something is
 * opened or changed with it. As the server's own login: no actor, whoever it is, can name these tables.
 */
export async function generationOfAddress(db: Database, email: string): Promise<number | null> {
  return generationIn(
    await db.sql`
    select login_user.login_generation as generation
    from login.users as login_user
    where login_user.email = ${email.toLowerCase()}`,
  )
}

export async function generationOfUser(db: Database, userId: string): Promise<number | null> {
  return generationIn(
    await db.sql`
    select login_user.login_generation as generation
    from login.users as login_user
    where login_user.id = ${userId}`,
  )
}

/** Null when the session has ended meanwhile. */
export async function generationOfSession(db: Database, sessionId: string): Promise<number | null> {
  return generationIn(
    await db.sql`
    select login_user.login_generation as generation
    from login.sessions as session
    join login.users as login_user on login_user.id = session.user_id
    where session.id = ${sessionId}`,
  )
}

/** From where an account is signed in. */
export async function addressesOfSessions(db: Database, email: string): Promise<readonly string[]> {
  const rows = await db.sql`
    select distinct session.ip_address as address
    from login.sessions as session
    join login.users as login_user on login_user.id = session.user_id
    where login_user.email = ${email.trim().toLowerCase()} and session.expires_at > now()`
  return z
    .array(z.object({ address: z.string().nullable() }))
    .parse(rows)
    .flatMap(({ address }) => address ?? [])
}

/** What somebody proved, and in which generation of the account's logins. */
export type Proven = { readonly userId: string; readonly generation: number }

/** The next generation, in which a session may be opened; null when the one that was said is over. */
export async function changeLoginPassword(
  tx: Tx,
  { userId, generation }: Proven,
  hash: string,
): Promise<number | null> {
  return generationIn(
    await tx.execute(
      sql`select public.change_login_password(${userId}::uuid, ${generation}::int, ${hash}) as generation`,
    ),
  )
}

export async function isGoodProof(db: Database, proof: string): Promise<boolean> {
  const rows = await db.sql`select from login.verifications where identifier = ${proof} and expires_at > now()`
  return rows.length > 0
}

/** False when it is no good secret, or another one came first. */
export async function resetLoginPassword(tx: Tx, proof: string, hash: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.reset_login_password(${proof}, ${hash}) as ok`)
  return z.object({ ok: z.boolean() }).parse(row).ok
}

/** `secret` as it is kept: that of which a code has come. */
export async function confirmSecondFactor(
  tx: Tx,
  { userId, generation }: Proven,
  secret: string,
): Promise<number | null> {
  return generationIn(
    await tx.execute(
      sql`select public.confirm_second_factor(${userId}::uuid, ${generation}::int, ${secret}) as generation`,
    ),
  )
}

export async function removeSecondFactor(tx: Tx, { userId, generation }: Proven): Promise<number | null> {
  return generationIn(
    await tx.execute(sql`select public.remove_second_factor(${userId}::uuid, ${generation}::int) as generation`),
  )
}

const generations = z.array(z.object({ generation: z.int().nullable() }))
const generationIn = (rows: readonly unknown[]) => generations.parse(rows)[0]?.generation ?? null
