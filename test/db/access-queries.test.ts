import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import { databaseError } from '../../db/errors.ts'
import {
  acceptProfileAccess,
  grantProfileAccess,
  listGrantsOfProfile,
  listOffersTo,
  mayReach,
  revokeProfileAccess,
} from '../../db/queries/access.ts'
import { breakGlass, endBreakGlass, listBreakGlass } from '../../db/queries/break-glass.ts'
import {
  approveProviderAccess,
  declineProviderAccess,
  findClinician,
  grantProviderAccess,
  listProviderAccess,
  registerProvider,
  requestProviderAccess,
  revokeProviderAccess,
  verifyProvider,
} from '../../db/queries/provider-access.ts'
import { ownerSql, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf, wideCastOf } from '../support/cast.ts'
import { makeProfile } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const tomorrow = () => new Date(Date.now() + 86_400_000)
const all = { limit: 200, beforeId: null }

test('a route asks once whether its actor may, and is told what the database would do', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, secondGuardian, delegates, stranger, clinicians, operators } = await wideCastOf(
    db,
    ownerSql(t, ownerUrl),
  )
  const may = (
    account: Account,
    level: 'read_only' | 'read_write' | 'full_access',
    resource: 'clinical' | 'document' | 'identity' | 'access',
  ) => asActor(db, account.actor, (tx) => mayReach(tx, { profileId: childId, level, resource }))

  for (const account of [guardian, secondGuardian]) t.equal(await may(account, 'full_access', 'access'), true)
  t.equal(await may(delegates.read_only, 'read_only', 'document'), true)
  t.equal(await may(delegates.read_only, 'read_write', 'document'), false)
  t.equal(await may(clinicians.approved_clinical, 'read_only', 'clinical'), true)
  t.equal(await may(clinicians.approved_clinical, 'read_only', 'document'), false)
  t.equal(await may(clinicians.approved_writing, 'read_write', 'document'), true)
  t.equal(await may(clinicians.approved_writing, 'read_write', 'identity'), false)
  t.equal(await may(operators.broken_glass, 'read_only', 'clinical'), true)
  t.equal(await may(operators.without_glass, 'read_only', 'clinical'), false)
  t.equal(await may(stranger, 'read_only', 'clinical'), false)
})

test('access is offered, taken, listed and left', async (t) => {
  const { db } = await testDatabase(t)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  const profileId = await makeProfile(db, mother)
  const as = <T>(account: Account, work: (tx: Tx) => Promise<T>) => asActor(db, account.actor, work)
  const endsAt = tomorrow()
  const offer = await as(mother, (tx) =>
    grantProfileAccess(tx, {
      profileId,
      accountId: carer.accountId,
      level: 'owner',
      capacity: 'guardian',
      startsAt: null,
      endsAt,
    }),
  )
  t.match(await as(carer, (tx) => listOffersTo(tx, carer.accountId)), [{ id: offer, capacity: 'guardian', endsAt }])
  await as(carer, (tx) => acceptProfileAccess(tx, offer))
  t.same(await as(carer, (tx) => listOffersTo(tx, carer.accountId)), [])
  t.match(await as(mother, (tx) => listGrantsOfProfile(tx, profileId, all)), [{ id: offer, revokedAt: null }])
  await as(carer, (tx) => revokeProfileAccess(tx, offer))
  t.match(await as(mother, (tx) => listGrantsOfProfile(tx, profileId, all)), [{ id: offer, revokedAt: Date }])
})

test('a clinician registers, is verified, asks, and is let in or not', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId } = await castOf(db, ownerSql(t, ownerUrl))
  const clinician = await signUp(db, 'Clinician')
  const as = <T>(account: Account, work: (tx: Tx) => Promise<T>) => asActor(db, account.actor, work)
  const self = { profession: 'nurse', registrationAuthority: 'AHPRA', registrationNumber: 'NMW1' }
  const id = await as(clinician, (tx) => registerProvider(tx, { ...self, displayName: 'Ada Hart' }))
  const seen = await as(guardian, (tx) => findClinician(tx, id))
  if (seen === null) throw new Error('operators see whom to verify')
  t.match(seen, { displayName: 'Ada Hart', verificationStatus: 'unverified' })
  t.equal(await as(guardian, (tx) => verifyProvider(tx, seen, 'verified')), true)

  const request = {
    patientId: childId,
    purpose: 'treatment',
    level: 'read_write',
    resources: ['clinical', 'document'],
  } as const
  await as(clinician, (tx) => requestProviderAccess(tx, request))
  const listed = () => as(guardian, (tx) => listProviderAccess(tx, childId, all))
  const [asked] = await listed()
  t.match(asked, { status: 'requested', clinician: 'Ada Hart', providerId: id })
  const accessId = asked?.id ?? ''
  const narrowed = { level: 'read_only', resources: ['clinical'] } as const
  await as(guardian, (tx) => approveProviderAccess(tx, accessId, { endsAt: tomorrow(), narrowed }))
  t.match(await listed(), [{ status: 'approved', permissionLevel: 'read_only', resourceTypes: ['clinical'] }])
  await as(guardian, (tx) => revokeProviderAccess(tx, accessId))
  await as(clinician, (tx) => requestProviderAccess(tx, request))
  const [again] = await listed()
  await as(guardian, (tx) => declineProviderAccess(tx, again?.id ?? ''))
  const grant = { ...request, providerId: id, endsAt: tomorrow() }
  const given = await as(guardian, (tx) => grantProviderAccess(tx, grant))
  t.match(await listed(), [{ id: given, status: 'approved' }, { status: 'declined' }, { status: 'revoked' }])
})

test('glass is broken, seen by the patient, and mended; too much of it is answered with 429', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, siblingId, guardian, operators } = await wideCastOf(db, owner)
  const as = <T>(account: Account, work: (tx: Tx) => Promise<T>) => asActor(db, account.actor, work)
  const wanted = {
    patientId: childId,
    reasonCode: 'safety_incident',
    reason: 'two patients mixed up',
    minutes: 5,
  } as const
  const id = await as(operators.without_glass, (tx) => breakGlass(tx, wanted))
  t.match(
    (await as(guardian, (tx) => listBreakGlass(tx, childId))).map(({ reason }) => reason),
    ['two patients mixed up', 'found unconscious at home'],
  )
  await as(operators.without_glass, (tx) => endBreakGlass(tx, id))
  t.match(await as(operators.without_glass, (tx) => listBreakGlass(tx, childId)), [{ id, endedAt: Date }])

  await owner`update system_configuration set config_value = '1' where config_key = 'access.break_glass_daily_max'`
  const tooMany = as(operators.without_glass, (tx) => breakGlass(tx, { ...wanted, patientId: siblingId }))
  const refused = await tooMany.then(() => null, databaseError)
  t.match(refused, { code: 'too_many_requests', status: 429 })
})
