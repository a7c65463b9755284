import { asc, eq, isNull, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { userProfileContext, userProfiles } from '../schema/identity.ts'
import type { NewUserProfile, UserProfile } from '../schema/identity.ts'

// Row level security decides which profiles a transaction sees; nothing here asks again.

export async function listProfiles(tx: Tx): Promise<UserProfile[]> {
  return await tx
    .select()
    .from(userProfiles)
    .where(isNull(userProfiles.archivedAt))
    .orderBy(asc(userProfiles.createdAt), asc(userProfiles.id))
}

export async function findProfile(tx: Tx, profileId: string): Promise<UserProfile | null> {
  const [profile] = await tx.select().from(userProfiles).where(eq(userProfiles.id, profileId))
  return profile ?? null
}

/** Raises insufficient_privilege for a profile that the account of the transaction does not reach. */
export async function switchProfile(tx: Tx, profileId: string): Promise<void> {
  await tx.execute(sql`select public.switch_profile(${profileId}::uuid)`)
}

/** Whose record the account has open, and had before; of those that it still reaches. */
export async function findProfileContext(tx: Tx): Promise<{ currentId: string | null; recentIds: readonly string[] }> {
  const [context] = await tx.select().from(userProfileContext)
  if (context === undefined) return { currentId: null, recentIds: [] }
  const reached = new Set((await listProfiles(tx)).map(({ id }) => id))
  const recentIds = context.recentProfileIds.filter((id) => reached.has(id))
  return { currentId: reached.has(context.currentProfileId) ? context.currentProfileId : null, recentIds }
}

type ProfileFields = Pick<
  NewUserProfile,
  'profileType' | 'relationship' | 'displayName' | 'fullName' | 'dateOfBirth' | 'timeZone' | 'locale'
>

/** For the account of the transaction. Written out, because an account may name only these columns. */
export async function insertProfile(tx: Tx, accountId: string, fields: ProfileFields): Promise<UserProfile> {
  const written = {
    account_owner_id: accountId,
    profile_type: fields.profileType,
    display_name: fields.displayName,
    relationship: fields.relationship,
    full_name: fields.fullName,
    date_of_birth: fields.dateOfBirth,
    time_zone: fields.timeZone,
    locale: fields.locale,
  }
  const given = Object.entries(written).filter(([, value]) => value !== undefined && value !== null)
  const columns = sql.join(
    given.map(([column]) => sql.identifier(column)),
    sql`, `,
  )
  const values = sql.join(
    given.map(([, value]) => sql`${value}`),
    sql`, `,
  )
  const [row] = await tx.execute<{ id: string }>(
    sql`insert into public.user_profiles (${columns}) values (${values}) returning id`,
  )
  const profile = row === undefined ? null : await findProfile(tx, row.id)
  if (profile === null) throw new Error('a profile was inserted but cannot be seen')
  return profile
}

export type ProfileChanges = {
  readonly [Field in Exclude<keyof ProfileFields, 'profileType'>]: ProfileFields[Field] | undefined
}

/** What is undefined stays. Null when the profile is not this account's to change. */
export async function updateProfile(tx: Tx, profileId: string, changes: ProfileChanges): Promise<UserProfile | null> {
  const [profile] = await tx.update(userProfiles).set(changes).where(eq(userProfiles.id, profileId)).returning()
  return profile ?? null
}

/** Service only: an account that an outside issuer vouches for, with its `self` profile. Idempotent. */
export async function provisionAccount(
  tx: Tx,
  account: { readonly accountId: string; readonly email: string | null; readonly displayName: string | null },
): Promise<string> {
  const name = account.displayName ?? 'Me'
  const [row] = await tx.execute<{ profile_id: string }>(
    sql`select public.provision_account(${account.accountId}::uuid, ${account.email}, ${name}) as profile_id`,
  )
  if (row === undefined) throw new Error('provision_account answered nothing')
  return row.profile_id
}
