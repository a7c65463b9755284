import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { consentCapacities, consentDecisions, consentPurposes } from '../schema/consents.ts'
import type { ConsentPurpose } from '../schema/consents.ts'

export type ConsentDecision = {
  readonly profileId: string
  readonly purpose: ConsentPurpose
  readonly decision: (typeof consentDecisions)[number]
  readonly expiresAt?: Date | null
  /** Of the text that the person was shown. */
  readonly policyVersion?: string | null
}

/** Decided by the account of the transaction, and in effect when it commits; gives the decision that stands. */
export async function recordConsent(tx: Tx, decided: ConsentDecision): Promise<number> {
  const { profileId, purpose, decision, expiresAt, policyVersion } = decided
  const [row] = await tx.execute(sql`
    select public.record_consent(
      p_profile_id => ${profileId}::uuid,
      p_purpose => ${purpose},
      p_decision => ${decision},
      p_expires_at => ${expiresAt?.toISOString() ?? null}::timestamptz,
      p_policy_version => ${policyVersion ?? null}
    )::int as id`)
  return z.object({ id: z.number() }).parse(row).id
}

const consentRow = z
  .object({
    purpose: z.enum(consentPurposes),
    holds: z.boolean(),
    decision: z.enum(consentDecisions).nullable(),
    decided_at: z.coerce.date().nullable(),
    decided_by: z.string().nullable(),
    capacity: z.enum(consentCapacities).nullable(),
    policy_version: z.string().nullable(),
    expires_at: z.coerce.date().nullable(),
  })
  .transform((row) => ({
    purpose: row.purpose,
    /** May it be done just now? */
    holds: row.holds,
    /** Null where nobody has decided: the purpose itself then says whether it holds. */
    decision: row.decision,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    capacity: row.capacity,
    policyVersion: row.policy_version,
    expiresAt: row.expires_at,
  }))

export type StandingConsent = z.output<typeof consentRow>

/** Every purpose, with the decision that stands. Refused to those who do not manage access to the profile. */
export async function listConsents(tx: Tx, profileId: string): Promise<readonly StandingConsent[]> {
  const rows = await tx.execute(sql`select * from public.consents_of(${profileId}::uuid)`)
  return rows.map((row) => consentRow.parse(row))
}

const yesRow = z.object({ yes: z.boolean() })

/** Services only: whether it holds, and it goes on holding until the transaction ends. */
export async function holdConsent(
  tx: Tx,
  asked: { readonly patientId: string; readonly purpose: ConsentPurpose },
): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.hold_consent(${asked.patientId}::uuid, ${asked.purpose}) as yes`)
  return yesRow.parse(row).yes
}
