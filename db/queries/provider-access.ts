import { and, desc, eq, getTableColumns, lt, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import type { NewestFirst } from './access.ts'
import { patientProviderAccess, providerRegistry } from '../schema/providers.ts'
import type {
  accessPurposes,
  providerAccessLevels,
  sharedResources,
  verificationStatuses,
} from '../schema/providers.ts'

// Row level security decides which rows a transaction sees; the functions decide who may change them.

const { id, displayName, profession, registrationAuthority, registrationNumber, verificationStatus, verifiedAt } =
  providerRegistry
/** What the directory tells: who somebody is, never with which account they log in. */
const directoryColumns = {
  id,
  displayName,
  profession,
  registrationAuthority,
  registrationNumber,
  verificationStatus,
  verifiedAt,
  /** As PostgreSQL writes it: what `verifyProvider` compares, and a Date would lose its microseconds. */
  seenAt: sql<string>`${providerRegistry.updatedAt}::text`,
}

export type Clinician = {
  readonly [Column in keyof Omit<typeof directoryColumns, 'seenAt'>]: (typeof providerRegistry.$inferSelect)[Column]
} & { readonly seenAt: string }

export async function findClinician(tx: Tx, providerId: string): Promise<Clinician | null> {
  const [clinician] = await tx.select(directoryColumns).from(providerRegistry).where(eq(id, providerId))
  return clinician ?? null
}

export type Registration = {
  readonly displayName: string
  readonly profession: string
  readonly registrationAuthority: string
  readonly registrationNumber: string
}

export async function registerProvider(tx: Tx, self: Registration): Promise<string> {
  const [row] = await tx.execute<{ id: string }>(sql`
    select public.register_provider(
      p_display_name => ${self.displayName},
      p_profession => ${self.profession},
      p_registration_authority => ${self.registrationAuthority},
      p_registration_number => ${self.registrationNumber}
    ) as id`)
  if (row === undefined) throw new Error('register_provider answered nothing')
  return row.id
}

/** Operators only. False when it was said already; refused when the entry is no longer what was looked at. */
export async function verifyProvider(
  tx: Tx,
  seen: Pick<Clinician, 'id' | 'seenAt'>,
  status: (typeof verificationStatuses)[number],
): Promise<boolean> {
  const [row] = await tx.execute<{ changed: boolean }>(
    sql`select public.verify_provider(${seen.id}::uuid, ${status}, ${seen.seenAt}::timestamptz) as changed`,
  )
  return row?.changed === true
}

type Share = {
  readonly level: (typeof providerAccessLevels)[number]
  readonly resources: readonly (typeof sharedResources)[number][]
}
type Purpose = (typeof accessPurposes)[number]

/** By a verified clinician. Ends the same whether or not there is such a patient. */
export async function requestProviderAccess(
  tx: Tx,
  request: Share & { readonly patientId: string; readonly purpose: Purpose },
): Promise<void> {
  await tx.execute(sql`
    select public.request_provider_access(
      p_patient_id => ${request.patientId}::uuid,
      p_purpose => ${request.purpose},
      p_permission_level => ${request.level},
      p_resource_types => ${textArray(request.resources)}
    )`)
}

export type ProviderAccess = typeof patientProviderAccess.$inferSelect & { readonly clinician: string | null }

/** Requests, approvals and what became of them, newest first, one more than asked for if there are more. */
export async function listProviderAccess(tx: Tx, patientId: string, page: NewestFirst): Promise<ProviderAccess[]> {
  const { id: accessId, patientId: patient } = patientProviderAccess
  return await tx
    .select({ ...getTableColumns(patientProviderAccess), clinician: displayName })
    .from(patientProviderAccess)
    .leftJoin(providerRegistry, eq(id, patientProviderAccess.providerId))
    .where(and(eq(patient, patientId), page.beforeId === null ? undefined : lt(accessId, page.beforeId)))
    .orderBy(desc(accessId))
    .limit(page.limit + 1)
}

export async function findProviderAccess(tx: Tx, accessId: string): Promise<ProviderAccess | null> {
  const [access] = await tx
    .select({ ...getTableColumns(patientProviderAccess), clinician: displayName })
    .from(patientProviderAccess)
    .leftJoin(providerRegistry, eq(id, patientProviderAccess.providerId))
    .where(eq(patientProviderAccess.id, accessId))
  return access ?? null
}

/** `narrowed` null: what was asked for. */
export async function approveProviderAccess(
  tx: Tx,
  accessId: string,
  approval: { readonly endsAt: Date; readonly narrowed: Share | null },
): Promise<void> {
  const { endsAt, narrowed } = approval
  await tx.execute(sql`
    select public.approve_provider_access(
      p_access_id => ${accessId}::uuid,
      p_ends_at => ${endsAt.toISOString()}::timestamptz,
      p_permission_level => ${narrowed?.level ?? null},
      p_resource_types => ${narrowed === null ? sql`null` : textArray(narrowed.resources)}
    )`)
}

/** By the person, of a clinician who did not ask. */
export async function grantProviderAccess(
  tx: Tx,
  grant: Share & {
    readonly patientId: string
    readonly providerId: string
    readonly purpose: Purpose
    readonly endsAt: Date
  },
): Promise<string> {
  const [row] = await tx.execute<{ id: string }>(sql`
    select public.grant_provider_access(
      p_patient_id => ${grant.patientId}::uuid,
      p_provider_id => ${grant.providerId}::uuid,
      p_purpose => ${grant.purpose},
      p_ends_at => ${grant.endsAt.toISOString()}::timestamptz,
      p_permission_level => ${grant.level},
      p_resource_types => ${textArray(grant.resources)}
    ) as id`)
  if (row === undefined) throw new Error('grant_provider_access answered nothing')
  return row.id
}

export async function declineProviderAccess(tx: Tx, accessId: string): Promise<void> {
  await tx.execute(sql`select public.decline_provider_access(${accessId}::uuid)`)
}

export async function revokeProviderAccess(tx: Tx, accessId: string): Promise<void> {
  await tx.execute(sql`select public.revoke_provider_access(${accessId}::uuid)`)
}

function textArray(words: readonly string[]) {
  const values = words.map((word) => sql`${word}`)
  return sql`array[${sql.join(values, sql`, `)}]::text[]`
}
