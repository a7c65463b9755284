import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import { ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { ActorName } from './actors.ts'
import { matrixCast } from './cast.ts'
import type { MatrixCast } from './cast.ts'
import { forAccounts, forServices } from './functions.ts'
import { probe } from './probe.ts'

test('every function is executable by exactly those who are listed', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const executableBy = async (role: string) => {
    const rows = await owner<{ name: string }[]>`
      select distinct proname as name from pg_proc
      where pronamespace = 'public'::regnamespace and has_function_privilege(${role}, oid, 'execute')`
    return rows.map(({ name }) => name).toSorted()
  }
  const shared = Object.keys(forAccounts).filter((name) => forAccounts[name]?.services === 'too')
  t.same(await executableBy('anon'), [], 'nothing for who has no token')
  t.same(await executableBy('authenticated'), Object.keys(forAccounts).toSorted())
  t.same(await executableBy('service_role'), [...shared, ...forServices].toSorted())
  t.same(await executableBy('exora_app'), ['uuid_v7'], 'the bare login needs ids for new sign-ups')
})

/** A value for each argument that names something of the child's, as an attacker who has learned the ids would give it. */
async function givenArguments(owner: postgres.Sql, cast: MatrixCast): Promise<Readonly<Record<string, string>>> {
  const { childId, accounts } = cast
  const id = async (query: postgres.PendingQuery<postgres.Row[]>) => `'${String((await query)[0]?.['id'])}'::uuid`
  return {
    p_profile_id: `'${childId}'::uuid`,
    p_patient_id: `'${childId}'::uuid`,
    p_user_id: `'${accounts.guardian.accountId}'::uuid`,
    p_account_id: `'${accounts.stranger.accountId}'::uuid`,
    p_shell_file_id: await id(owner`select id from shell_files where patient_id = ${childId}`),
    p_review_id: await id(owner`select id from manual_review_queue where patient_id = ${childId}`),
    p_permission_id: await id(
      owner`select id from profile_access_permissions where accepted_at is null and profile_id = ${childId}`,
    ),
    p_access_id: await id(
      owner`select id from patient_provider_access where status = 'requested' and patient_id = ${childId}`,
    ),
    /** Not an argument by itself: what `revoke_provider_access` is given. */
    running_access: await id(
      owner`select id from patient_provider_access where status = 'approved' and patient_id = ${childId}`,
    ),
    p_provider_id: await id(owner`
      select provider.id from provider_registry as provider where account_id = ${accounts.clinician_declined.accountId}`),
    p_id: await id(owner`select id from break_glass_accesses where patient_id = ${childId}`),
    p_export_id: await id(owner`select id from data_exports where patient_id = ${childId}`),
    p_job_id: await id(owner`select id from job_queue where patient_id = ${childId}`),
    p_notification_id: await id(
      owner`select id from system_notifications where account_id = ${accounts.guardian.accountId}`,
    ),
    ...plain,
  }
}

const plain = {
  p_attempt_token: 'gen_random_uuid()',
  p_before: 'null::timestamptz',
  p_before_id: 'null::uuid',
  p_cycles: '3',
  p_correlation_id: "'c'",
  p_decision: "'rejected'",
  p_display_name: "'Dr No'",
  p_document_date: 'null::date',
  p_ends_at: "now() + interval '1 day'",
  p_estimated_pages: '1',
  p_expires_at: 'null::timestamptz',
  p_file_size_bytes: '1',
  p_filename: "'x.pdf'",
  p_from_stage: "'ocr'",
  p_idempotency_key: 'null',
  p_keep_both: 'false',
  p_limit: '10',
  p_lock_seconds: '10',
  p_mime_type: "'application/pdf'",
  p_minutes: '10',
  p_note: 'null',
  p_others_only: 'false',
  p_pages: '1',
  p_permission_level: "'read_only'",
  p_policy_version: 'null',
  p_profession: "'surgeon'",
  p_purpose: "'treatment'",
  p_reason: "'curious about it'",
  p_reason_code: "'emergency_care'",
  p_registration_authority: "'AHPRA'",
  p_registration_number: "'X-1'",
  p_request_hash: "'h'",
  p_required_level: "'read_only'",
  p_resource_type: "'clinical'",
  p_resource_types: "array['clinical']",
  p_seen_updated_at: 'null::timestamptz',
  p_sha256: "repeat('a', 64)",
  p_size_bytes: '1',
  p_starts_at: 'now()',
  p_status: "'verified'",
  p_storage_key: 'gen_random_uuid()::text',
  p_plan_type: "'basic'",
  p_when: "'now'",
  p_time_zone: "'UTC'",
  p_capacity: "'delegate'",
}

/** Where a function means something else by the same word. */
const overrides = (
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, Readonly<Record<string, string>>>> => ({
  begin_idempotent_request: { p_idempotency_key: "'k'" },
  abandon_idempotent_request: { p_idempotency_key: "'k'" },
  decide_identity_review: { p_decision: "'accepted'" },
  record_consent: { p_purpose: "'outside_ocr'", p_decision: "'denied'" },
  register_shell_file: { p_shell_file_id: 'gen_random_uuid()' },
  revoke_provider_access: { p_access_id: given['running_access'] ?? '' },
})

type Called = { readonly name: string; readonly names: readonly string[] }

async function callable(owner: postgres.Sql): Promise<Called[]> {
  const rows = await owner<Called[]>`
    select proname as name, coalesce(proargnames[1:pronargs], '{}') as names from pg_proc
    where pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', oid, 'execute')`
  return [...rows]
}

function callOf({ name, names }: Called, given: Readonly<Record<string, string>>): string {
  const values = { ...given, ...overrides(given)[name] }
  const args = names.map((argument) => {
    const value = values[argument]
    if (value === undefined) throw new Error(`${name}: test/db/matrix/functions.test.ts has no value for ${argument}`)
    return `${argument} => ${value}`
  })
  return `public.${name}(${args.join(', ')})`
}

const refusals = new Set(['42501', 'P0002'])

test('who knows every id gets nothing done with somebody else’s, and the same calls are good for others', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const given = await givenArguments(owner, cast)
  const calls = (await callable(owner)).map((called) => ({
    name: called.name,
    statement: `select 'called' from ${callOf(called, given)}`,
  }))
  const as = (name: ActorName, probes = calls) => asActor(db, cast.accounts[name].actor, (tx) => probe(tx, probes))
  const strangers = await as('stranger')
  const others = new Map<ActorName, Awaited<ReturnType<typeof as>>>()
  for (const { name } of calls) {
    const { guard, allowed } = forAccounts[name] ?? { guard: 'level' }
    const state = strangers[name]?.state ?? ''
    if (['level', 'decider', 'operator', 'clinician'].includes(guard) || allowed !== undefined) {
      t.ok(refusals.has(state), `${name} refuses a stranger (${state})`)
      const control = allowed ?? 'guardian'
      const answers = others.get(control) ?? (await as(control))
      others.set(control, answers)
      const past = answers[name]?.state ?? ''
      t.notOk(refusals.has(past), `${name} lets ${control} past (${past})`)
    }
  }

  for (const { name } of calls.filter((call) => forAccounts[call.name]?.guard === 'decider')) {
    for (const outsider of ['delegate_owner', 'delegate_full_access', 'clinician_writing', 'operator'] as const) {
      const answers = others.get(outsider) ?? (await as(outsider))
      others.set(outsider, answers)
      t.ok(refusals.has(answers[name]?.state ?? ''), `${name} is not for ${outsider}`)
    }
  }
})

test('questions about others are answered with no, and what is one’s own is one’s own alone', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const given = await givenArguments(owner, cast)
  const questions = (await callable(owner)).filter(({ name }) =>
    ['answers about oneself', 'own'].includes(forAccounts[name]?.guard ?? ''),
  )
  const before = await footprint(owner, cast.childId)
  const { stranger } = cast.accounts
  const answers = await asActor(db, stranger.actor, (tx) =>
    probe(
      tx,
      questions.map((called) => ({
        name: called.name,
        statement: `select to_jsonb(answer)::text from ${callOf(called, given)} as answer`,
      })),
    ),
  )
  for (const { name } of questions) {
    const { state, rows } = answers[name] ?? { state: 'not tried' }
    if (refusals.has(state) || (state === '42846' && rows === undefined)) continue
    const told = (rows ?? []).join()
    const ids = [cast.childId, cast.accounts.guardian.accountId]
    t.notOk(
      ids.some((id) => told.includes(id)),
      `${name} names nobody else`,
    )
    t.notMatch(told, /true/, `${name} says no`)
  }
  t.same(await footprint(owner, cast.childId), before)
})

/** All that could have changed about a child. */
async function footprint(owner: postgres.Sql, childId: string): Promise<unknown> {
  const rows = await owner`
    select
      (select count(*)::int from audit_log where patient_id = ${childId}) as audited,
      (select jsonb_agg(permission order by permission.id) from profile_access_permissions as permission where profile_id = ${childId}) as permissions,
      (select jsonb_agg(access order by access.id) from patient_provider_access as access where patient_id = ${childId}) as clinicians`
  return [...rows]
}

test('an account is no patient, to any function', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const { guardian } = cast.accounts
  const account = `'${guardian.accountId}'::uuid`
  const given = { ...(await givenArguments(owner, cast)), p_profile_id: account, p_patient_id: account }
  const aboutPatients = (await callable(owner)).filter(
    ({ name, names }) =>
      names.some((argument) => argument === 'p_profile_id' || argument === 'p_patient_id') &&
      ['level', 'decider'].includes(forAccounts[name]?.guard ?? ''),
  )
  t.ok(aboutPatients.length > 8)
  const answers = await asActor(db, guardian.actor, (tx) =>
    probe(
      tx,
      aboutPatients.map((called) => ({
        name: called.name,
        statement: `select 'called' from ${callOf(called, given)}`,
      })),
    ),
  )
  for (const { name } of aboutPatients) t.ok(refusals.has(answers[name]?.state ?? ''), name)
  const own = await asActor(db, guardian.actor, (tx) =>
    tx.execute(sql`select public.has_profile_access(${guardian.accountId}, ${guardian.accountId}) as value`),
  )
  t.equal(own[0]?.['value'], false)
})
