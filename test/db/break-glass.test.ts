import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { wideCastOf } from '../support/cast.ts'
import { breakGlass, clinicianOf, verifyProvider } from '../support/clinicians.ts'
import { makeProfile, offerAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { partsSeen, recordParts } from '../support/record-tables.ts'

test('operators see nothing of any patient until they break the glass, and then read alone', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, siblingId, operators } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const { without_glass: operator, broken_glass: reader } = operators
  t.same(await partsSeen(db, operator), [])
  t.same(await partsSeen(db, reader), recordParts, 'the whole record')
  const ofSibling = sql`select count(*)::int as value from patient_clinical_events where patient_id = ${siblingId}`
  t.equal(await askOne(db, reader.actor, ofSibling), 0, 'of that patient alone')

  for (const account of [operator, reader]) {
    for (const table of ['usage_events', 'profile_access_permissions', 'patient_consents', 'data_exports'])
      t.equal((await ask(db, account.actor, sql`select * from ${sql.identifier(table)}`)).length, 0, table)
    const history = sql`select count(*)::int as value from audit_log where patient_id = ${childId}`
    t.equal(await askOne(db, account.actor, history), 0)
    t.equal(await refusal(upload(db, account, { patientId: childId })), '42501')
    t.equal(await refusal(offerAccess(db, account, await signUp(db), childId)), '42501')
    t.equal(await refusal(ask(db, account.actor, sql`select public.get_user_usage_status(${childId})`)), '42501')
    for (const table of ['patient_clinical_events', 'shell_files', 'break_glass_accesses'])
      t.equal(await refusal(ask(db, account.actor, sql`delete from ${sql.identifier(table)}`)), '42501')
  }
})

test('nobody else breaks the glass, and for nobody who does not exist', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, secondGuardian, delegates, stranger, clinicians, operators } = await wideCastOf(db, owner)
  const outsiders = [stranger, delegates.owner, delegates.expired, secondGuardian]
  for (const account of [...outsiders, clinicians.unverified, clinicians.suspended]) {
    t.equal(await refusal(breakGlass(db, account, childId)), '42501')
    t.equal(await refusal(breakGlass(db, account, randomUUID())), '42501')
  }
  t.equal(
    await refusal(serve(db, sql`select public.break_glass(${childId}, 'emergency_care', 'long enough words')`)),
    '42501',
  )
  t.equal(await refusal(breakGlass(db, operators.without_glass, randomUUID())), '42501')
  t.equal(await refusal(breakGlass(db, operators.without_glass, operators.without_glass.accountId)), '42501')
  const forged = sql`insert into break_glass_accesses (account_id, patient_id, reason_code, reason, ends_at)
    values (${stranger.accountId}, ${childId}, 'emergency_care', 'long enough words', now() + interval '1 hour')`
  t.equal(await refusal(ask(db, stranger.actor, forged)), '42501')
  t.equal(
    await refusal(breakGlass(db, clinicians.declined, childId)),
    'allowed',
    'a verified clinician may, whatever the patient said',
  )
  t.same(await partsSeen(db, clinicians.declined), recordParts)
})

test('breaking the glass needs a reason and a short time', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, operators } = await wideCastOf(db, owner)
  const attempt = (code: string | null, reason: string | null, minutes: number | null = 60) =>
    refusal(
      ask(
        db,
        operators.without_glass.actor,
        sql`select public.break_glass(${childId}, ${code}, ${reason}, ${minutes}::int)`,
      ),
    )
  const reason = 'asked to by the coroner'
  for (const [code, words] of [
    ['curiosity', reason],
    [null, reason],
    ['legal_obligation', 'because'],
    ['legal_obligation', `because${' '.repeat(20)}`],
    ['legal_obligation', null],
    ['legal_obligation', 'x'.repeat(501)],
  ] as const)
    t.equal(await attempt(code, words), '22023')
  for (const minutes of [0, -1, 241, null]) t.equal(await attempt('legal_obligation', reason, minutes), '22023')
  await owner`update system_configuration set config_value = '30' where config_key = 'access.break_glass_max_minutes'`
  t.equal(await attempt('legal_obligation', reason, 31), '22023', 'operators shorten it as data')
  t.equal(await attempt('legal_obligation', reason, 30), 'allowed')
})

test('the patient is told who read, why and for how long, and delegates below owner are not', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, guardian, secondGuardian, delegates, stranger, operators } = await wideCastOf(db, owner)
  const id = await breakGlass(db, operators.without_glass, childId, 30)
  const told = sql`select patient_id from system_notifications where kind = 'break_glass_used' and subject_id = ${id}`
  const read = sql`
    select account_id, reason_code, reason, ends_at - starts_at = interval '30 minutes' as half_an_hour
    from break_glass_accesses where id = ${id}`
  const entry = {
    account_id: operators.without_glass.accountId,
    reason_code: 'emergency_care',
    reason: 'found unconscious at home',
    half_an_hour: true,
  }
  for (const decider of [guardian, secondGuardian]) {
    t.same(await ask(db, decider.actor, told), [{ patient_id: childId }])
    t.same(await ask(db, decider.actor, read), [entry])
  }
  t.same(await ask(db, operators.without_glass.actor, read), [entry])
  for (const other of [delegates.full_access, stranger, operators.broken_glass]) {
    t.same(await ask(db, other.actor, told), [])
    t.same(await ask(db, other.actor, read), [])
  }
  const log = await owner`
    select changed_by, patient_id, new_values::text as said from audit_log
    where table_name = 'break_glass_accesses' and record_id = ${String(id)}`
  t.match(log, [{ changed_by: operators.without_glass.accountId, patient_id: childId }])
  t.notMatch(String(log[0]?.['said']), 'unconscious', 'the words stay out of the log')
})

test('one glass at a time per patient, and not too many a day', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, guardian, operators } = await wideCastOf(db, owner)
  const operator = operators.without_glass
  await owner`update system_configuration set config_value = '2' where config_key = 'access.break_glass_daily_max'`
  const ids = await Promise.all([5, 240, 240, 240].map((minutes) => breakGlass(db, operator, childId, minutes)))
  t.equal(new Set(ids).size, 1)
  const [glass] = await owner`select ends_at from break_glass_accesses where id = ${String(ids[0])}`
  await breakGlass(db, operator, childId, 240)
  const [later] = await owner`select ends_at from break_glass_accesses where id = ${String(ids[0])}`
  t.same(later, glass, 'a second call prolongs nothing')
  const told = sql`select count(*)::int as value from system_notifications where kind = 'break_glass_used' and subject_id = ${ids[0]}`
  t.equal(await askOne(db, guardian.actor, told), 1)

  const patients = [await makeProfile(db, guardian), await makeProfile(db, guardian), await makeProfile(db, guardian)]
  const states = await Promise.all(patients.map((patientId) => refusal(breakGlass(db, operator, patientId))))
  t.same(states.toSorted(), ['PT429', 'PT429', 'allowed'])
  t.equal(await refusal(breakGlass(db, operator, childId)), 'allowed', 'what is open stays so')
  await owner`update break_glass_accesses set starts_at = starts_at - interval '25 hours', ends_at = ends_at - interval '25 hours'`
  t.equal(await refusal(breakGlass(db, operator, childId)), 'allowed', 'tomorrow is another day')
})

test('broken glass mends: when its time is over, by whoever broke it, and with the role', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, guardian, operators } = await wideCastOf(db, owner)
  const { without_glass: operator, broken_glass: other } = operators
  const mayRead = (account: Account) =>
    askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${childId}) as value`)
  const end = (by: Account, id: unknown) => refusal(ask(db, by.actor, sql`select public.end_break_glass(${id})`))

  const first = await breakGlass(db, operator, childId)
  for (const outsider of [other, guardian]) t.equal(await end(outsider, first), 'P0002')
  t.equal(await end(operator, randomUUID()), 'P0002')
  t.equal(await mayRead(operator), true)
  t.equal(await end(operator, first), 'allowed')
  t.equal(await mayRead(operator), false)
  t.equal(await end(operator, first), 'P0002')

  const second = await breakGlass(db, operator, childId)
  await owner`update break_glass_accesses set starts_at = now() - interval '1 hour', ends_at = now() - interval '1 second' where id = ${String(second)}`
  t.equal(await mayRead(operator), false)
  t.equal(await end(operator, second), 'P0002')

  await breakGlass(db, operator, childId)
  await owner`delete from account_roles where account_id = ${operator.accountId}`
  t.equal(await mayRead(operator), false)
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  t.equal(await mayRead(operator), false, 'the role comes back without what was open')
  t.equal(await mayRead(other), true, 'nobody else’s is touched')

  const clinician = await clinicianOf(db, guardian)
  await breakGlass(db, clinician, childId)
  await verifyProvider(db, guardian, clinician.providerId, 'suspended')
  t.equal(await mayRead(clinician), false)
  await verifyProvider(db, guardian, clinician.providerId)
  t.equal(await mayRead(clinician), false)
})
