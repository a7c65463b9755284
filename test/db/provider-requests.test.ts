import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, askOne, ownerSql, refusal, serve } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { accessOf, admitClinician, clinicianOf, requestAccess, verifyProvider } from '../support/clinicians.ts'
import { testDatabase } from '../support/postgres.ts'

const askedFor = sql`
  select status, purpose, permission_level, resource_types, decided_by, starts_at, ends_at from patient_provider_access`

test('asking says nothing about whether there is such a patient', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId } = await castOf(db, owner)
  const [asking, guessing] = [await clinicianOf(db, guardian), await clinicianOf(db, guardian)]
  const nobody = randomUUID()
  await owner`update system_configuration set config_value = '1' where config_key = 'access.open_requests_max'`

  t.same(await requestAccess(db, asking, childId), await requestAccess(db, guessing, nobody))
  t.same(await ask(db, asking.actor, askedFor), await ask(db, guessing.actor, askedFor), 'both have asked')
  const again = (clinician: typeof asking, patientId: string) => refusal(requestAccess(db, clinician, patientId))
  t.equal(await again(asking, childId), await again(guessing, nobody))
  for (const clinician of [asking, guessing])
    t.equal(await again(clinician, randomUUID()), 'PT429', 'and both have used up what they may ask')
  for (const clinician of [asking, guessing]) {
    const gone = sql`select public.revoke_provider_access(${await accessOf(db, clinician, clinician === asking ? childId : nobody)})`
    t.equal(await refusal(ask(db, clinician.actor, gone)), 'allowed', 'and can take it back')
  }
})

test('a patient is asked once, by those who are verified, and hears of it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, delegates } = await castOf(db, owner)
  const clinician = await clinicianOf(db, guardian)
  const waiting = () =>
    askOne(
      db,
      guardian.actor,
      sql`select count(*)::int as value from system_notifications where kind = 'provider_access_requested'`,
    )
  await Promise.all([1, 2, 3, 4].map(() => requestAccess(db, clinician, childId)))
  t.same(await ask(db, guardian.actor, askedFor), [
    {
      status: 'requested',
      purpose: 'treatment',
      permission_level: 'read_only',
      resource_types: ['clinical', 'document', 'narrative'],
      decided_by: null,
      starts_at: null,
      ends_at: null,
    },
  ])
  t.equal(await waiting(), 1)
  t.equal((await ask(db, delegates.full_access.actor, askedFor)).length, 1, 'managers see it')
  t.equal((await ask(db, delegates.read_write.actor, askedFor)).length, 0, 'readers do not')

  for (const [fields, state] of [
    [{ purpose: 'curiosity' }, '23514'],
    [{ level: 'full_access' }, '23514'],
    [{ level: 'owner' }, '23514'],
    [{ resources: ['audit'] }, '23514'],
    [{ resources: [] }, '23514'],
  ] as const)
    t.equal(await refusal(requestAccess(db, clinician, randomUUID(), fields)), state, JSON.stringify(fields))
  await verifyProvider(db, guardian, clinician.providerId, 'unverified')
  t.equal(await refusal(requestAccess(db, clinician, randomUUID())), '42501')
})

test('a clinician who was told no is not heard again for a while', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, delegates, stranger } = await castOf(db, owner)
  const clinician = await clinicianOf(db, guardian)
  await requestAccess(db, clinician, childId)
  const decline = sql`select public.decline_provider_access(${await accessOf(db, clinician, childId)})`
  t.equal(await refusal(ask(db, stranger.actor, decline)), 'P0002')
  t.equal(await refusal(ask(db, clinician.actor, decline)), 'P0002')
  t.equal(await refusal(ask(db, delegates.owner.actor, decline)), '42501')
  t.equal(await refusal(ask(db, guardian.actor, decline)), 'allowed')
  t.equal(await refusal(ask(db, guardian.actor, decline)), '55000')

  const asked = async () => (await ask<{ status: string }>(db, clinician.actor, askedFor)).map(({ status }) => status)
  await requestAccess(db, clinician, childId)
  t.same(await asked(), ['declined'])
  await owner`update patient_provider_access set decided_at = now() - interval '31 days'`
  await requestAccess(db, clinician, childId)
  t.same(new Set(await asked()), new Set(['declined', 'requested']))
})

test('a clinician may not ask everybody', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian } = await castOf(db, owner)
  const clinician = await clinicianOf(db, guardian)
  await owner`update system_configuration set config_value = '3' where config_key = 'access.daily_requests_max'`
  const states = await Promise.all([1, 2, 3, 4, 5].map(() => refusal(requestAccess(db, clinician, randomUUID()))))
  t.same(states.toSorted(), ['PT429', 'PT429', 'allowed', 'allowed', 'allowed'])
  for (const { id } of await ask<{ id: string }>(db, clinician.actor, sql`select id from patient_provider_access`))
    await ask(db, clinician.actor, sql`select public.revoke_provider_access(${id})`)
  t.equal(await refusal(requestAccess(db, clinician, randomUUID())), 'PT429', 'what was taken back was asked')
  await owner`update patient_provider_access set requested_at = now() - interval '25 hours'`
  t.equal(await refusal(requestAccess(db, clinician, randomUUID())), 'allowed')
})

test('when an approval is over, the clinician may ask again', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId } = await castOf(db, owner)
  const clinician = await clinicianOf(db, guardian)
  const first = await admitClinician(db, clinician, guardian, childId)
  await requestAccess(db, clinician, childId)
  t.equal((await ask(db, clinician.actor, askedFor)).length, 1, 'not while it runs')
  await owner`update patient_provider_access set starts_at = now() - interval '2 days', ends_at = now() - interval '1 day'`
  await requestAccess(db, clinician, childId)
  const [ended] = await serve(
    db,
    sql`select status, revoked_at = ends_at as at_its_end from patient_provider_access where id = ${first}`,
  )
  t.same(ended, { status: 'revoked', at_its_end: true })
  const second = await accessOf(db, clinician, childId)
  t.not(second, first)
})
