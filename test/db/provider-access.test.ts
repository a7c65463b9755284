import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, askOne, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castWithRequest, wideCastOf } from '../support/cast.ts'
import { admitClinician, approveAccess, clinicianOf, registerProvider, verifyProvider } from '../support/clinicians.ts'
import { decide, grantThatRanOut } from '../support/consents.ts'
import { holdForReview, offerAccess, upload } from '../support/factories.ts'
import { endJobs, reprocess } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'
import { partsSeen, recordParts } from '../support/record-tables.ts'

const aboutClinicians = (profileId: string) => ({ profileId, purpose: 'provider_access' }) as const

test('clinicians see what the patient let them see, while it lasts, and nothing else', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { clinicians, childId } = await wideCastOf(db, ownerSql(t, ownerUrl))
  t.same(await partsSeen(db, clinicians.approved_clinical), ['profile', 'clinical'])
  t.same(await partsSeen(db, clinicians.approved_all), recordParts)
  t.same(await partsSeen(db, clinicians.approved_writing), recordParts)
  const { requested, declined, expired, suspended, consent_withdrawn: withdrawn, unverified } = clinicians
  for (const outside of [requested, declined, expired, suspended, withdrawn, unverified])
    t.same(await partsSeen(db, outside), [])

  for (const table of ['usage_events', 'profile_access_permissions', 'patient_consents', 'data_exports']) {
    const rows = await ask(db, clinicians.approved_all.actor, sql`select * from ${sql.identifier(table)}`)
    t.equal(rows.length, 0, `a clinician sees no ${table}`)
  }
  const history = sql`select count(*)::int as value from audit_log where patient_id = ${childId}`
  t.equal(await askOne(db, clinicians.approved_all.actor, history), 0)
  const others = sql`select count(*)::int as value from patient_provider_access where provider_id <> ${clinicians.approved_all.providerId}`
  t.equal(await askOne(db, clinicians.approved_all.actor, others), 0, 'nor who else is let in')
  const friend = await signUp(db)
  t.equal(await refusal(offerAccess(db, clinicians.approved_writing, friend, childId)), '42501', 'nor lets anybody in')
})

test('the patient decides, for no more than was asked and for a bounded time', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, delegates, stranger, clinician, request, mayRead } = await castWithRequest(
    db,
    ownerSql(t, ownerUrl),
  )
  const approve = (by: Account, fields = {}, id = request) => refusal(approveAccess(db, by, id, fields))
  t.equal(await approve(stranger), 'P0002')
  t.equal(await approve(clinician), 'P0002', 'nobody lets themself in')
  t.equal(await approve(delegates.read_write), 'P0002')
  for (const manager of [delegates.full_access, delegates.owner]) t.equal(await approve(manager), '42501')
  t.equal(await approve(guardian, {}, randomUUID()), 'P0002')

  for (const endsAt of [null, 'now', 'yesterday', 'infinity', '2100-01-01'])
    t.equal(await approve(guardian, { endsAt }), '22023', `until ${endsAt}`)
  for (const fields of [
    { level: 'full_access' },
    { level: 'all' },
    { resources: ['narrative'] },
    { resources: ['clinical', 'narrative'] },
    { resources: [] },
  ])
    t.equal(await approve(guardian, fields), '22023', JSON.stringify(fields))
  t.equal(await mayRead(), false)

  await verifyProvider(db, guardian, clinician.providerId, 'unverified')
  t.equal(await approve(guardian), '55000', 'not verified just now')
  await verifyProvider(db, guardian, clinician.providerId)
  t.equal(await approve(guardian, { level: 'read_only', resources: ['clinical'] }), 'allowed')
  t.same(await partsSeen(db, clinician), ['profile', 'clinical'])
  t.equal(await approve(guardian), '55000', 'decided')
})

test('letting a clinician in is the consent, written once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, request } = await castWithRequest(db, owner)
  const consents = async () => [
    ...(await owner`select decision, capacity, decided_by from patient_consents where patient_id = ${childId} order by id`),
  ]
  t.same(await consents(), [])
  await approveAccess(db, guardian, request)
  const granted = { decision: 'granted', capacity: 'guardian', decided_by: guardian.accountId }
  t.same(await consents(), [granted])
  await admitClinician(db, await clinicianOf(db, guardian), guardian, childId)
  t.same(await consents(), [granted])

  const grownUp = await signUp(db, 'Grown-up')
  await admitClinician(db, await clinicianOf(db, guardian), grownUp, grownUp.profileId)
  const [own] = await owner`select capacity, decided_by from patient_consents where patient_id = ${grownUp.profileId}`
  t.same(own, { capacity: 'self', decided_by: grownUp.accountId })
})

test('a consent that is withdrawn ends every approval, and granting it again opens none', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, clinician, request, mayRead } = await castWithRequest(db, owner)
  await approveAccess(db, guardian, request)
  t.equal(await mayRead(), true)
  for (const decision of ['withdrawn', 'denied'] as const) {
    await decide(db, guardian, decision, aboutClinicians(childId))
    t.equal(await mayRead(), false)
    await decide(db, guardian, 'granted', aboutClinicians(childId))
    t.equal(await mayRead(), false)
    await admitClinician(db, clinician, guardian, childId)
    t.equal(await mayRead(), true, 'approved anew')
  }

  await grantThatRanOut(owner, { ...guardian, profileId: childId }, 'provider_access')
  t.equal(await mayRead(), false, 'a consent that has run out')
  await decide(db, guardian, 'granted', aboutClinicians(childId))
  t.equal(await mayRead(), false, 'is no consent that was waiting')
})

test('access ends at once when the clinician is suspended, and does not come back by itself', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId, clinician, request, mayRead } = await castWithRequest(db, ownerSql(t, ownerUrl))
  await approveAccess(db, guardian, request)
  const edit = (name: string, number: string) =>
    ask(db, clinician.actor, sql`select public.register_provider(${name}, 'surgeon', 'AHPRA', ${number})`)
  const verify = (status: string) => verifyProvider(db, guardian, clinician.providerId, status)
  const [known] = await ask<{ number: string }>(
    db,
    guardian.actor,
    sql`select registration_number as number from provider_registry where id = ${clinician.providerId}`,
  )
  const number = String(known?.number)

  await edit('Dr Ada Hart-Lee', number)
  t.equal(await mayRead(), false, 'edited, it rests')
  await verify('verified')
  t.equal(await mayRead(), true, 'until it is verified')
  await verify('suspended')
  t.equal(await mayRead(), false)
  await verify('verified')
  t.equal(await mayRead(), false, 'what a suspension ended stays ended')

  await admitClinician(db, clinician, guardian, childId)
  await edit('Dr Somebody Else', 'MED-OTHER')
  await verify('verified')
  t.equal(await mayRead(), false, 'another registration is another person, whom nobody has let in')
  const named = sql`select display_name as value from provider_registry where id = ${clinician.providerId}`
  await verify('suspended')
  t.equal(await askOne(db, guardian.actor, named), 'Dr Somebody Else', 'the patient still sees who it was')
})

test('whoever manages the profile ends it, and so does the clinician', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId, delegates, stranger, clinician, request, mayRead } = await castWithRequest(
    db,
    ownerSql(t, ownerUrl),
  )
  const end = (by: Account, id: string) => refusal(ask(db, by.actor, sql`select public.revoke_provider_access(${id})`))
  t.equal(await end(delegates.full_access, request), 'P0002', 'what is not decided is not a manager’s to decide')
  await approveAccess(db, guardian, request)
  for (const other of [stranger, delegates.read_only, delegates.read_write, delegates.expired])
    t.equal(await end(other, request), 'P0002')
  t.equal(await end(await clinicianOf(db, guardian), request), 'P0002', 'nor a colleague')
  t.equal(await end(delegates.full_access, request), 'allowed')
  t.equal(await mayRead(), false)
  t.equal(await end(guardian, request), 'P0002', 'ended once')
  const again = await admitClinician(db, clinician, guardian, childId)
  t.equal(await end(clinician, again), 'allowed')
  t.equal(await mayRead(), false)
})

test('a clinician may be let in without having asked', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId, delegates, clinician, mayRead } = await castWithRequest(db, ownerSql(t, ownerUrl))
  const grant = (by: Account, providerId = clinician.providerId, endsAt: string | null = 'tomorrow') =>
    refusal(
      ask(
        db,
        by.actor,
        sql`select public.grant_provider_access(${childId}, ${providerId}, 'treatment', ${endsAt}::timestamptz)`,
      ),
    )
  const unverified = await registerProvider(db, await signUp(db))
  t.equal(await grant(delegates.owner), '42501')
  t.equal(await grant(clinician), '42501')
  t.equal(await grant(guardian, unverified), '55000')
  t.equal(await grant(guardian, randomUUID()), '55000', 'like one that is not verified')
  t.equal(await grant(guardian, clinician.providerId, null), '22023')
  t.equal(await grant(guardian), 'allowed')
  t.equal(await grant(guardian), 'allowed', 'in the place of the first')
  t.equal(await mayRead(), true)
  const rows = sql`select status as value from patient_provider_access order by requested_at, id`
  t.same(
    (await ask(db, clinician.actor, rows)).map(({ value }) => value),
    ['revoked', 'revoked', 'approved'],
    'the request among them',
  )
})

test('clinicians who may write upload, and do not decide whose a document is', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId, delegates, clinicians } = await wideCastOf(db, ownerSql(t, ownerUrl))
  t.equal(await refusal(upload(db, clinicians.approved_all, { patientId: childId })), '42501', 'reading is not writing')
  t.equal(await refusal(upload(db, delegates.read_only, { patientId: childId })), '42501')
  const writing = clinicians.approved_writing
  const { shell_file_id: id } = await upload(db, writing, { patientId: childId })
  await endJobs(db, id, 'completed')
  const review = await holdForReview(db, id, childId)
  const judge = (by: Account, decision: string) =>
    refusal(ask(db, by.actor, sql`select public.decide_identity_review(${review}, ${decision})`))
  t.equal(await judge(clinicians.approved_all, 'accepted'), 'P0002')
  t.equal(await judge(writing, 'accepted'), '42501')
  t.equal(await judge(writing, 'rejected'), '42501')
  t.equal(await refusal(reprocess(db, writing, id, 'ocr')), '42501', 'nor withdraws the question')
  t.equal(await judge(delegates.read_write, 'rejected'), 'allowed')
  t.equal(await refusal(reprocess(db, writing, id, 'ocr')), '42501', 'nor takes back the answer')
  t.equal(await refusal(reprocess(db, delegates.read_write, id, 'ocr')), 'allowed')

  const { shell_file_id: other } = await upload(db, guardian, { patientId: childId })
  await endJobs(db, other, 'completed')
  t.equal(await refusal(reprocess(db, writing, other, 'security_scan')), 'allowed', 'reading again is writing')
})
