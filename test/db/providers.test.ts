import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { admitClinician, clinicianOf, registerProvider, requestAccess, verifyProvider } from '../support/clinicians.ts'
import { testDatabase } from '../support/postgres.ts'

const statusOf = (providerId: string) =>
  sql`select verification_status as value from provider_registry where id = ${providerId}`

test('a clinician is who an operator says, never who they say themselves', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian: operator, delegates, childId } = await castOf(db, owner)
  const impostor = await signUp(db, 'Impostor')
  const providerId = await registerProvider(db, impostor)
  t.equal(await askOne(db, impostor.actor, statusOf(providerId)), 'unverified')
  t.equal(await refusal(requestAccess(db, impostor, childId)), '42501')

  const forgeries = [
    sql`update provider_registry set verification_status = 'verified' where id = ${providerId}`,
    sql`insert into provider_registry (account_id, display_name, profession, registration_authority,
          registration_number, verification_status)
        values (${impostor.accountId}, 'Dr No', 'surgeon', 'AHPRA', '1', 'verified')`,
    sql`insert into patient_provider_access (patient_id, provider_id, status, purpose, permission_level,
          resource_types, starts_at, ends_at)
        values (${childId}, ${providerId}, 'approved', 'treatment', 'read_write', '{clinical}', now(), 'tomorrow')`,
    sql`insert into patient_consents (patient_id, purpose, decision, decided_by, capacity)
        values (${childId}, 'provider_access', 'granted', ${operator.accountId}, 'guardian')`,
    sql`insert into account_roles (account_id, role) values (${impostor.accountId}, 'operator')`,
    sql`select public.verify_provider(${providerId}, 'verified')`,
    sql`select public.end_provider_access(${providerId})`,
  ]
  for (const forgery of forgeries) t.equal(await refusal(ask(db, impostor.actor, forgery)), '42501')
  t.equal(
    await refusal(verifyProvider(db, delegates.owner, providerId)),
    '42501',
    'an owner of patients is no operator',
  )
  t.equal(
    await refusal(serve(db, sql`select public.verify_provider(${providerId}, 'verified')`)),
    '42501',
    'nor a worker',
  )
  const own = await registerProvider(db, operator)
  for (const status of ['verified', 'unverified', 'suspended'])
    t.equal(
      await refusal(verifyProvider(db, operator, own, status)),
      '42501',
      'nor does an operator vouch for themself',
    )

  t.equal(await refusal(verifyProvider(db, operator, providerId, 'famous')), '22023')
  t.equal(await verifyProvider(db, operator, randomUUID()), false)
  t.equal(await verifyProvider(db, operator, providerId), true)
  t.equal(await verifyProvider(db, operator, providerId), false, 'said already')
  const [verified] =
    await owner`select verified_by, verified_at is not null as dated from provider_registry where id = ${providerId}`
  t.same(verified, { verified_by: operator.accountId, dated: true })
})

test('the directory tells who clinicians are, and is nobody’s to change', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian: operator, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const clinician = await clinicianOf(db, operator)
  const newcomer = await signUp(db, 'Newcomer')
  await registerProvider(db, newcomer)
  const listed = async (reader: Account) => (await ask(db, reader.actor, sql`select id from provider_registry`)).length
  t.equal(await listed(stranger), 1, 'the verified one')
  t.equal(await listed(newcomer), 2, 'and oneself')
  t.equal(await listed(operator), 2, 'and for operators whom to verify')
  for (const reader of [stranger, clinician, operator]) {
    t.equal(await refusal(ask(db, reader.actor, sql`select account_id from provider_registry`)), '42501')
    t.equal(await refusal(ask(db, reader.actor, sql`select verified_by from provider_registry`)), '42501')
    t.equal(await refusal(ask(db, reader.actor, sql`update provider_registry set display_name = 'X'`)), '42501')
    t.equal(await refusal(ask(db, reader.actor, sql`delete from provider_registry`)), '42501')
  }
  const someoneElse = await registerProvider(db, stranger)
  t.not(someoneElse, clinician.providerId, 'registering makes an entry of one’s own, whatever it says')
  const withoutSubject = { ...actorOf(randomUUID()), accountId: '' }
  t.equal(await refusal(registerProvider(db, { ...stranger, actor: withoutSubject })), '42501')
})

test('an edit must be verified again, and a suspension is not shaken off', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian: operator } = await castOf(db, ownerSql(t, ownerUrl))
  const clinician = await signUp(db, 'Clinician')
  const providerId = await registerProvider(db, clinician, 'MED-A')
  await verifyProvider(db, operator, providerId)
  const status = () => askOne(db, clinician.actor, statusOf(providerId))

  t.equal(await registerProvider(db, clinician, '  MED-A '), providerId)
  t.equal(await status(), 'verified', 'nothing has changed')
  t.equal(await registerProvider(db, clinician, 'MED-B'), providerId)
  t.equal(await status(), 'unverified')
  await verifyProvider(db, operator, providerId, 'suspended')
  await registerProvider(db, clinician, 'MED-C')
  t.equal(await status(), 'suspended')
  t.equal(await refusal(registerProvider(db, clinician, '  ')), '23514')
})

test('an operator verifies what the operator read, and a registration belongs to one', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian: operator } = await castOf(db, ownerSql(t, ownerUrl))
  const [clinician, namesake] = [await signUp(db), await signUp(db)]
  const providerId = await registerProvider(db, clinician, 'MED-A')
  const seenAt = await askOne(
    db,
    operator.actor,
    sql`select updated_at::text as value from provider_registry where id = ${providerId}`,
  )
  const verify = sql`select public.verify_provider(${providerId}, 'verified', ${seenAt}::timestamptz)`
  await registerProvider(db, clinician, 'MED-B')
  t.equal(await refusal(ask(db, operator.actor, verify)), '55000', 'edited behind the operator’s back')
  await verifyProvider(db, operator, providerId)
  const second = await registerProvider(db, namesake, 'MED-B')
  t.equal(await refusal(verifyProvider(db, operator, second)), '23505')
})

test('who has registered at the same moment twice is one clinician', async (t) => {
  const { db } = await testDatabase(t)
  const clinician = await signUp(db)
  const ids = await Promise.all(
    ['MED-1', 'MED-2', 'MED-1', 'MED-2'].map((number) => registerProvider(db, clinician, number)),
  )
  t.equal(new Set(ids).size, 1)
})

test('each step of a clinician, from the registry to the end, is one row of the audit', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId } = await castOf(db, owner)
  const clinician = await clinicianOf(db, guardian)
  const access = await admitClinician(db, clinician, guardian, childId)
  await ask(db, guardian.actor, sql`select public.revoke_provider_access(${access})`)
  const log = await owner`
    select table_name, operation, changed_by, new_values ->> 'status' as status from audit_log
    where table_name in ('provider_registry', 'patient_provider_access', 'patient_consents') order by changed_at, id`
  const by = (account: Account, table: string, operation: string, status: string | null = null) => ({
    table_name: table,
    operation,
    changed_by: account.accountId,
    status,
  })
  t.same(
    [...log],
    [
      by(clinician, 'provider_registry', 'INSERT'),
      by(guardian, 'provider_registry', 'UPDATE'),
      by(clinician, 'patient_provider_access', 'INSERT', 'requested'),
      by(guardian, 'patient_consents', 'INSERT'),
      by(guardian, 'patient_provider_access', 'UPDATE', 'approved'),
      by(guardian, 'patient_provider_access', 'UPDATE', 'revoked'),
    ],
  )
})
