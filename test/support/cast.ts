import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Database } from '../../db/client.ts'
import { ask, askOne, serve, signUp } from './actors.ts'
import type { Account } from './actors.ts'
import {
  accessOf,
  admitClinician,
  breakGlass,
  clinicianOf,
  registerProvider,
  requestAccess,
  verifyProvider,
} from './clinicians.ts'
import type { Clinician } from './clinicians.ts'
import { decide } from './consents.ts'
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

export type WideCast = Cast & {
  readonly secondGuardian: Account
  /** A brother whose record is full too, and whose consent to clinicians has been withdrawn. */
  readonly siblingId: string
  /** Of the child; of the brother the one whose consent was withdrawn. */
  readonly clinicians: {
    readonly [
      name in
        | 'approved_clinical'
        | 'approved_all'
        | 'approved_writing'
        | 'requested'
        | 'declined'
        | 'expired'
        | 'suspended'
        | 'consent_withdrawn'
        | 'unverified'
    ]: Clinician
  }
  readonly operators: { readonly [name in 'without_glass' | 'broken_glass']: Account }
}

/** The same family, with a second guardian, clinicians in every state of their asking, and operators. */
export async function wideCastOf(db: Database, owner: postgres.Sql): Promise<WideCast> {
  const cast = await castOf(db, owner)
  const { guardian, childId } = cast
  const secondGuardian = await signUp(db, 'Second guardian')
  await giveAccess(db, guardian, secondGuardian, childId, { level: 'owner', capacity: 'guardian' })

  const operators = { without_glass: await signUp(db, 'Operator'), broken_glass: await signUp(db, 'Operator') }
  for (const { accountId } of Object.values(operators))
    await owner`insert into account_roles (account_id, role) values (${accountId}, 'operator')`
  await breakGlass(db, operators.broken_glass, childId)

  const siblingId = await makeProfile(db, guardian)
  const { shell_file_id: id } = await upload(db, guardian, { patientId: siblingId })
  await fillRecord(db, { id, patientId: siblingId })
  return { ...cast, secondGuardian, siblingId, operators, clinicians: await cliniciansOf(db, owner, cast, siblingId) }
}

async function cliniciansOf(db: Database, owner: postgres.Sql, { guardian, childId }: Cast, siblingId: string) {
  const verified = () => clinicianOf(db, guardian)
  const stranger = await signUp(db, 'Unverified clinician')
  const clinicians = {
    approved_clinical: await verified(),
    approved_all: await verified(),
    approved_writing: await verified(),
    requested: await verified(),
    declined: await verified(),
    expired: await verified(),
    suspended: await verified(),
    consent_withdrawn: await verified(),
    unverified: { ...stranger, providerId: await registerProvider(db, stranger) },
  }
  await admitClinician(db, clinicians.approved_clinical, guardian, childId, { resources: ['clinical'] })
  await admitClinician(db, clinicians.approved_all, guardian, childId)
  await admitClinician(db, clinicians.approved_writing, guardian, childId, { level: 'read_write' })
  await requestAccess(db, clinicians.requested, childId)
  await requestAccess(db, clinicians.declined, childId)
  const declined = await accessOf(db, clinicians.declined, childId)
  await ask(db, guardian.actor, sql`select public.decline_provider_access(${declined})`)
  const expired = await admitClinician(db, clinicians.expired, guardian, childId)
  await owner`update patient_provider_access set starts_at = now() - interval '2 days', ends_at = now() - interval '1 second' where id = ${expired}`
  await admitClinician(db, clinicians.suspended, guardian, childId)
  await verifyProvider(db, guardian, clinicians.suspended.providerId, 'suspended')
  await admitClinician(db, clinicians.consent_withdrawn, guardian, siblingId)
  await decide(db, guardian, 'withdrawn', { profileId: siblingId, purpose: 'provider_access' })
  return clinicians
}

/** The family, and a verified clinician who has asked to write documents and read facts of the child. */
export async function castWithRequest(db: Database, owner: postgres.Sql) {
  const cast = await castOf(db, owner)
  const clinician = await clinicianOf(db, cast.guardian)
  await requestAccess(db, clinician, cast.childId, { level: 'read_write', resources: ['document', 'clinical'] })
  const request = await accessOf(db, clinician, cast.childId)
  const mayRead = (account: Account = clinician) =>
    askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${cast.childId}) as value`)
  return { ...cast, clinician, request, mayRead }
}
