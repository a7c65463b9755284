import type postgres from 'postgres'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { ask, signUp } from '../../support/actors.ts'
import type { Account } from '../../support/actors.ts'
import { wideCastOf } from '../../support/cast.ts'
import type { WideCast } from '../../support/cast.ts'
import { fillRecord, upload } from '../../support/factories.ts'
import { sql } from 'drizzle-orm'
import type { ActorName } from './actors.ts'

export type MatrixCast = {
  readonly cast: WideCast
  readonly accounts: Readonly<Record<ActorName, Account>>
  /** Profiles of which an account owns the record, besides the child that the matrix is about. */
  ownProfiles(name: ActorName): readonly string[]
  readonly childId: string
}

/** The actors in the flesh: a child with everything there can be about it, and an unrelated patient with as much. */
export async function matrixCast(db: Database, owner: postgres.Sql): Promise<MatrixCast> {
  const cast = await wideCastOf(db, owner)
  const { guardian, secondGuardian, delegates, clinicians, operators, stranger, childId } = cast
  const unrelated = await signUp(db, 'Unrelated')
  const { shell_file_id: id } = await upload(db, unrelated)
  await fillRecord(db, { id, patientId: unrelated.profileId })
  await addRest(db, owner, { guardian, childId })
  const accounts = {
    guardian,
    second_guardian: secondGuardian,
    delegate_owner: delegates.owner,
    delegate_full_access: delegates.full_access,
    delegate_read_write: delegates.read_write,
    delegate_read_only: delegates.read_only,
    delegate_expired: delegates.expired,
    delegate_revoked: delegates.revoked,
    delegate_offered: delegates.offered,
    delegate_future: delegates.future,
    clinician_writing: clinicians.approved_writing,
    clinician_all: clinicians.approved_all,
    clinician_clinical: clinicians.approved_clinical,
    clinician_requested: clinicians.requested,
    clinician_declined: clinicians.declined,
    clinician_expired: clinicians.expired,
    clinician_suspended: clinicians.suspended,
    clinician_withdrawn: clinicians.consent_withdrawn,
    clinician_unverified: clinicians.unverified,
    operator: operators.without_glass,
    operator_broken_glass: operators.broken_glass,
    another_patient: unrelated,
    stranger,
  }
  const ownProfiles = (name: ActorName) => [accounts[name].profileId, ...(name === 'guardian' ? [cast.siblingId] : [])]
  return { cast, accounts, ownProfiles, childId }
}

/** Rows of what is about the child but hangs off no file. */
async function addRest(
  db: Database,
  owner: postgres.Sql,
  { guardian, childId }: { readonly guardian: Account; readonly childId: string },
): Promise<void> {
  await owner`insert into data_exports (patient_id, requested_by) values (${childId}, ${guardian.accountId})`
  await owner`
    insert into account_closures (account_id, status, due_at, cancelled_at)
    values (${guardian.accountId}, 'cancelled', now(), now())`
  await ask(db, guardian.actor, sql`select public.switch_profile(${childId})`)
  await ask(db, guardian.actor, sql`select public.record_consent(${childId}, 'outside_ai', 'denied')`)
}

export const actorsOf = (cast: MatrixCast): [ActorName, Actor][] =>
  (Object.entries(cast.accounts) as [ActorName, Account][]).map(([name, account]) => [name, account.actor])
