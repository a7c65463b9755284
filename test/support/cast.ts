import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Database } from '../../db/client.ts'
import { ask, serve, signUp } from './actors.ts'
import type { Account } from './actors.ts'
import { fillRecord, giveAccess, makeProfile, offerAccess, upload } from './factories.ts'

export type Cast = {
  readonly db: Database
  readonly guardian: Account
  readonly childId: string
  readonly delegates: {
    readonly [
      name in 'read_only' | 'read_write' | 'full_access' | 'owner' | 'expired' | 'revoked' | 'offered' | 'future'
    ]: Account
  }
  readonly stranger: Account
}

/** A guardian with a child whose record is full, and everybody who has, had or will have something to do with it. */
export async function castOf(db: Database, owner: postgres.Sql): Promise<Cast> {
  const guardian = await signUp(db, 'Guardian')
  const childId = await makeProfile(db, guardian)
  const delegates = {
    read_only: await signUp(db),
    read_write: await signUp(db),
    full_access: await signUp(db),
    owner: await signUp(db),
    expired: await signUp(db),
    revoked: await signUp(db),
    offered: await signUp(db),
    future: await signUp(db),
  }

  for (const level of ['read_only', 'read_write', 'full_access', 'owner'] as const)
    await giveAccess(db, guardian, delegates[level], childId, { level })
  const expired = await giveAccess(db, guardian, delegates.expired, childId, { level: 'owner' })
  await owner`update profile_access_permissions set starts_at = now() - interval '2 days', ends_at = now() - interval '1 second' where id = ${expired}`
  const revoked = await giveAccess(db, guardian, delegates.revoked, childId, { level: 'owner' })
  await ask(db, guardian.actor, sql`select public.revoke_profile_access(${revoked})`)
  await offerAccess(db, guardian, delegates.offered, childId, { level: 'owner' })
  await giveAccess(db, guardian, delegates.future, childId, { level: 'owner', startsAt: 'tomorrow' })

  const { shell_file_id: id } = await upload(db, guardian, { patientId: childId })
  await fillRecord(db, { id, patientId: childId })
  await serve(db, sql`select public.set_account_plan(${guardian.accountId}, 'basic')`)
  await owner`insert into account_roles (account_id, role) values (${guardian.accountId}, 'operator')`
  return { db, guardian, childId, delegates, stranger: await signUp(db, 'Stranger') }
}
