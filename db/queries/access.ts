import { and, asc, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { profileAccessPermissions } from '../schema/identity.ts'
import type { accessLevels, grantCapacities } from '../schema/identity.ts'

// The functions decide who may; row level security decides which rows a list holds. Nothing here asks again.

export type AccessLevel = (typeof accessLevels)[number]
/** Kinds of a profile's data. `identity` is whether a document is this person's; `access` and `audit` are about the rest. */
export type Resource = 'profile' | 'document' | 'clinical' | 'narrative' | 'identity' | 'usage' | 'access' | 'audit'

/** The one decision of the system, as policies and functions of the database take it, about the actor of the transaction. */
export async function mayReach(
  tx: Tx,
  wanted: { readonly profileId: string; readonly level: AccessLevel; readonly resource: Resource },
): Promise<boolean> {
  const { profileId, level, resource } = wanted
  const [row] = await tx.execute<{ may: boolean }>(
    sql`select public.has_resource_access(auth.uid(), ${profileId}::uuid, ${level}, ${resource}) as may`,
  )
  return row?.may === true
}

export type ProfileGrant = typeof profileAccessPermissions.$inferSelect

/** Ids are v7, so that the later of two is the newer: a page begins behind the last id of the page before it. */
export type NewestFirst = { readonly limit: number; readonly beforeId: string | null }

/** Everything there is and was, newest first, one more than asked for if there are more; a grantee who manages nothing sees their own. */
export async function listGrantsOfProfile(tx: Tx, profileId: string, page: NewestFirst): Promise<ProfileGrant[]> {
  const { id, profileId: profile } = profileAccessPermissions
  return await tx
    .select()
    .from(profileAccessPermissions)
    .where(and(eq(profile, profileId), page.beforeId === null ? undefined : lt(id, page.beforeId)))
    .orderBy(desc(id))
    .limit(page.limit + 1)
}

/** Null where there is none that the transaction may see. */
export async function findGrant(tx: Tx, grantId: string): Promise<ProfileGrant | null> {
  const [grant] = await tx.select().from(profileAccessPermissions).where(eq(profileAccessPermissions.id, grantId))
  return grant ?? null
}

/** What the account has been offered and has neither taken nor left. */
export async function listOffersTo(tx: Tx, accountId: string): Promise<ProfileGrant[]> {
  const { acceptedAt, endsAt, grantedAt, id, revokedAt } = profileAccessPermissions
  return await tx
    .select()
    .from(profileAccessPermissions)
    .where(
      and(
        eq(profileAccessPermissions.accountId, accountId),
        isNull(acceptedAt),
        isNull(revokedAt),
        sql`(${endsAt} is null or ${endsAt} > now())`,
      ),
    )
    .orderBy(asc(grantedAt), asc(id))
}

export type NewGrant = {
  readonly profileId: string
  readonly accountId: string
  readonly level: AccessLevel
  readonly capacity: (typeof grantCapacities)[number]
  /** Null: now. */
  readonly startsAt: Date | null
  /** Null: until it is taken away. */
  readonly endsAt: Date | null
}

/** The id of an offer; nothing is open until it is accepted. */
export async function grantProfileAccess(tx: Tx, grant: NewGrant): Promise<string> {
  const [row] = await tx.execute<{ id: string }>(sql`
    select public.grant_profile_access(
      p_profile_id => ${grant.profileId}::uuid,
      p_account_id => ${grant.accountId}::uuid,
      p_permission_level => ${grant.level},
      p_starts_at => ${grant.startsAt?.toISOString() ?? null}::timestamptz,
      p_ends_at => ${grant.endsAt?.toISOString() ?? null}::timestamptz,
      p_capacity => ${grant.capacity}
    ) as id`)
  if (row === undefined) throw new Error('grant_profile_access answered nothing')
  return row.id
}

export async function acceptProfileAccess(tx: Tx, grantId: string): Promise<void> {
  await tx.execute(sql`select public.accept_profile_access(${grantId}::uuid)`)
}

/** Declining, leaving and taking away. */
export async function revokeProfileAccess(tx: Tx, grantId: string): Promise<void> {
  await tx.execute(sql`select public.revoke_profile_access(${grantId}::uuid)`)
}
