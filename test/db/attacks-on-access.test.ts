import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { test } from 'tap'
import type { Actor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { anonymous, ask, askOne, ownerSql, refusal, signUp } from '../support/actors.ts'
import { wideCastOf } from '../support/cast.ts'
import { registerProvider, requestAccess } from '../support/clinicians.ts'
import { giveAccess, offerAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

// Holes of an earlier system with this vocabulary, S1 to S14, each tried as its attacker would: an account with SQL of its own choice.

async function allRefused(
  t: { ok(value: unknown, message: string): unknown },
  db: Database,
  actor: Actor,
  attempts: Readonly<Record<string, SQL>>,
) {
  for (const [what, attempt] of Object.entries(attempts)) {
    const state = await refusal(ask(db, actor, attempt))
    t.ok(['42501', 'P0002'].includes(state), `${what}: ${state}`)
  }
}

test('S1: nobody gives themselves access, or more than they hold', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { stranger, delegates, guardian, childId } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const offered = await offerAccess(db, guardian, await signUp(db), childId, { level: 'owner' })
  const grant = (to: string, level: string) => sql`select public.grant_profile_access(${childId}, ${to}, ${level})`
  await allRefused(t, db, stranger.actor, {
    'writes the row': sql`
      insert into profile_access_permissions (profile_id, account_id, permission_level, accepted_at)
      values (${childId}, ${stranger.accountId}, 'owner', now())`,
    'takes somebody’s offer': sql`select public.accept_profile_access(${offered})`,
    'offers it to a friend': grant(delegates.read_only.accountId, 'read_only'),
  })
  await allRefused(t, db, delegates.full_access.actor, {
    'gives more than held': grant(stranger.accountId, 'owner'),
    'raises their own row': sql`update profile_access_permissions set permission_level = 'owner'`,
  })
  t.equal((await ask(db, stranger.actor, sql`select from shell_files`)).length, 0)
})

test('S2: no claim makes an operator', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { stranger, clinicians, childId } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const claims = {
    role: 'service_role',
    email: 'boss@exora.example',
    user_metadata: { is_admin: true, role: 'admin' },
    app_metadata: { role: 'operator', roles: ['service_role'] },
  }
  const boss: Actor = { ...stranger.actor, claims }
  await allRefused(t, db, boss, {
    'cancels jobs': sql`select public.cancel_job(${randomUUID()})`,
    'makes an operator': sql`insert into account_roles (account_id, role) values (${stranger.accountId}, 'operator')`,
    'verifies clinicians': sql`select public.verify_provider(${clinicians.unverified.providerId}, 'verified')`,
    'breaks the glass': sql`select public.break_glass(${childId}, 'emergency_care', 'because I say so')`,
    'changes plans': sql`select public.schedule_plan_change(${stranger.accountId}, 'enterprise', 'now')`,
    'acts as the service': sql`select * from public.claim_next_job_v3(worker_id => 'w')`,
  })
})

test('S3: a clinician does not verify, approve or consent for themself', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { stranger, childId, clinicians, operators } = await wideCastOf(db, owner)
  const providerId = await registerProvider(db, stranger)
  await allRefused(t, db, stranger.actor, {
    'writes a verified entry': sql`update provider_registry set verification_status = 'verified'`,
    'verifies it': sql`select public.verify_provider(${providerId}, 'verified')`,
    'asks unverified': sql`select public.request_provider_access(${childId}, 'treatment')`,
    'writes an approval': sql`
      insert into patient_provider_access (patient_id, provider_id, status, purpose, permission_level, resource_types, starts_at, ends_at)
      values (${childId}, ${providerId}, 'approved', 'treatment', 'read_only', '{clinical}', now(), 'tomorrow')`,
    'writes a consent': sql`
      insert into patient_consents (patient_id, purpose, decision, decided_by, capacity)
      values (${childId}, 'provider_access', 'granted', ${stranger.accountId}, 'guardian')`,
    'records a consent': sql`select public.record_consent(${childId}, 'provider_access', 'granted')`,
  })
  const own = await registerProvider(db, operators.without_glass)
  t.equal(
    await refusal(ask(db, operators.without_glass.actor, sql`select public.verify_provider(${own}, 'verified')`)),
    '42501',
    'not even an operator verifies themself',
  )
  const [asked] = await owner`
    select id from patient_provider_access where provider_id = ${clinicians.requested.providerId} and status = 'requested'`
  await allRefused(t, db, clinicians.requested.actor, {
    'approves their own request': sql`select public.approve_provider_access(${String(asked?.['id'])}, 'tomorrow')`,
  })
  t.equal((await ask(db, clinicians.requested.actor, sql`select from patient_record`)).length, 0)
})

test('S4: the registry of clinicians is nobody’s to edit', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { stranger, clinicians } = await wideCastOf(db, ownerSql(t, ownerUrl))
  for (const account of [stranger, clinicians.approved_all])
    await allRefused(t, db, account.actor, {
      'renames everybody': sql`update provider_registry set display_name = 'Dr Evil'`,
      'removes them': sql`delete from provider_registry`,
      'looks up their accounts': sql`select account_id from provider_registry`,
    })
})

test('S5: rules narrow; none is widened by another, and reading is not writing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const doubled = await owner`
    select tablename, cmd, role from pg_policies, unnest(roles) as role
    where schemaname = 'public' and permissive = 'PERMISSIVE' group by 1, 2, 3 having count(*) > 1`
  t.same([...doubled], [], 'two permissive policies are joined by OR')
  const { delegates, clinicians, childId } = await wideCastOf(db, owner)
  for (const reader of [delegates.read_only, clinicians.approved_all, clinicians.approved_clinical])
    t.equal(await refusal(upload(db, reader, { patientId: childId })), '42501')
  t.equal(await refusal(upload(db, delegates.read_write, { patientId: childId })), 'allowed')
})

test('S6: what the server owns is not a client’s to change', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId } = await wideCastOf(db, ownerSql(t, ownerUrl))
  await allRefused(t, db, guardian.actor, {
    'a status': sql`update shell_files set status = 'completed'`,
    'a storage key': sql`update shell_files set storage_key = 'x'`,
    counters: sql`update user_usage_tracking set pages = 0`,
    'a plan': sql`update account_subscriptions set plan_type = 'enterprise'`,
    limits: sql`update subscription_plans set pages_limit = null`,
    'what was found': sql`update entity_processing_audit_v2 set fact_text = 'y'`,
    'what it cost': sql`update semantic_processing_sessions set cost_usd = 0`,
    'a review': sql`update manual_review_queue set status = 'accepted'`,
    'who owns a person': sql`update user_profiles set account_owner_id = gen_random_uuid() where id = ${childId}`,
    'an erased person': sql`update user_profiles set erased_at = null`,
  })
})

test('S10 and S9: who has no token calls nothing, and no part of a table is a way around it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian } = await wideCastOf(db, owner)
  await allRefused(t, db, anonymous, {
    enqueues: sql`select public.enqueue_job_v3('ocr', 'ocr', '{}')`,
    'takes capacity': sql`select public.acquire_api_capacity('openai', 'gpt-4o-mini', 1)`,
    'forges audit': sql`select public.log_audit_event('x', 'x', 'UPDATE')`,
  })
  const parts = await owner<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass`
  t.ok(parts.length > 1)
  for (const { name } of parts)
    t.equal(await refusal(ask(db, guardian.actor, sql.raw(`select from ${name}`))), '42501', name)
})

test('S11 and S13: functions believe no argument about who acts, and an account is no patient', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, stranger, childId } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const asked = sql`select public.has_profile_access(${guardian.accountId}, ${childId}) as value`
  t.equal(await askOne(db, stranger.actor, asked), false, 'no oracle')
  const { shell_file_id: hers } = await upload(db, guardian, { patientId: childId })
  await allRefused(t, db, stranger.actor, {
    'bills another': sql`select public.track_shell_file_upload_usage(${childId}, ${hers}, 1, 1)`,
    'bills with another’s file': sql`select public.track_shell_file_upload_usage(${stranger.profileId}, ${hers}, 1, 1)`,
    'asks for a history': sql`select * from public.get_usage_history(${childId})`,
  })
  t.equal(await refusal(upload(db, guardian, { patientId: guardian.accountId })), '42501')
})

test('S12 and S14: dates, levels and consents are asked each time, and nobody is locked out of their own', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, delegates, clinicians, childId } = await wideCastOf(db, owner)
  t.equal((await ask(db, delegates.future.actor, sql`select from shell_files`)).length, 0)
  t.equal(await refusal(upload(db, delegates.read_write, { patientId: childId })), 'allowed', 'carers can work')
  const carer = await signUp(db)
  await giveAccess(db, guardian, carer, childId, { level: 'read_write', endsAt: 'tomorrow' })
  await owner`update profile_access_permissions set starts_at = now() - interval '1 day', ends_at = now() where account_id = ${carer.accountId}`
  t.equal(await refusal(upload(db, carer, { patientId: childId })), '42501', 'until their time is over')

  for (const purpose of ['data_processing', 'provider_access'])
    await ask(db, guardian.actor, sql`select public.record_consent(${childId}, ${purpose}, 'withdrawn')`)
  t.equal((await ask(db, clinicians.approved_all.actor, sql`select from patient_record`)).length, 0)
  t.ok((await ask(db, guardian.actor, sql`select from patient_record where patient_id = ${childId}`)).length > 0)
  const live = await owner`select from job_queue where patient_id = ${childId} and status in ('pending', 'processing')`
  t.equal(live.length, 0, 'withdrawal stops what it withdraws from')
  await requestAccess(db, clinicians.approved_all, childId)
  await ask(db, guardian.actor, sql`select public.record_consent(${childId}, 'provider_access', 'granted')`)
  t.equal(
    (await ask(db, clinicians.approved_all.actor, sql`select from patient_record`)).length,
    0,
    'and opens nothing again',
  )
})
