import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Actor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { anonymous, ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { fillRecord, giveAccess, makeProfile, offerAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

// What each table is to clients. A table that is in none of these lists fails the first test: somebody must decide.
const ofPatient = [
  'shell_files',
  'shell_file_stages',
  'shell_file_events',
  'shell_file_pages',
  'shell_file_texts',
  'processing_errors',
  'entity_processing_audit_v2',
  'fact_sources',
  'semantic_processing_sessions',
  'medical_code_assignments',
  'manual_review_queue',
  'healthcare_encounters',
  'patient_clinical_events',
  'patient_observations',
  'patient_observation_components',
  'patient_medications',
  'patient_conditions',
  'patient_allergies',
  'patient_immunizations',
  'patient_interventions',
  'family_history',
  'social_history',
  'clinical_narratives',
  'clinical_narrative_sentences',
]
const ofAccount = ['usage_events', 'user_usage_tracking', 'account_subscriptions', 'account_roles']
const ofAccess = ['user_profiles', 'profile_access_permissions', 'audit_log']
const forEveryAccount = ['subscription_plans']
const internal = [
  'audit_seals',
  'system_configuration',
  'feature_flags',
  'idempotency_keys',
  'job_types',
  'job_queue',
  'workers',
  'api_rate_limits',
  'api_capacity_reservations',
  'api_usage_slots',
  'job_schedules',
]
const open = [...ofPatient, ...ofAccount, ...ofAccess, ...forEveryAccount]

type Cast = {
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
async function castOf(db: Database, owner: postgres.Sql): Promise<Cast> {
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

/** How many rows of a table an actor sees; a missing grant is as good as none. */
async function visible(db: Database, actor: Actor, table: string): Promise<number | 'denied'> {
  const counted = ask<{ value: string }>(db, actor, sql`select count(*) as value from ${sql.identifier(table)}`)
  const state = await refusal(counted)
  if (state === '42501') return 'denied'
  return Number((await counted)[0]?.value)
}

test('every table is decided about', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const tables = await ownerSql(t, ownerUrl)<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`
  t.same(tables.map(({ name }) => name).toSorted(), [...open, ...internal].toSorted())
})

test('who reads what of a patient', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const readers = [guardian, delegates.read_only, delegates.read_write, delegates.full_access, delegates.owner]
  const outsiders = [stranger, delegates.expired, delegates.revoked, delegates.offered, delegates.future]

  for (const table of [...ofPatient, 'patient_record']) {
    for (const reader of readers) t.ok(Number(await visible(db, reader.actor, table)) > 0, `a reader sees ${table}`)
    for (const outsider of outsiders)
      t.equal(await visible(db, outsider.actor, table), 0, `an outsider sees no ${table}`)
  }
})

test('what belongs to the account is seen by the account alone', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  for (const table of ofAccount) {
    t.ok(Number(await visible(db, guardian.actor, table)) > 0, `the account sees its ${table}`)
    for (const other of [delegates.owner, delegates.read_write, stranger])
      t.equal(await visible(db, other.actor, table), 0, `others see no ${table}`)
  }
  t.equal(await visible(db, stranger.actor, 'subscription_plans'), 4)
})

test('the audit of a patient is for the owners of the profile', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const about = async (account: Account) =>
    Number(await askOne(db, account.actor, sql`select count(*) as value from audit_log where patient_id = ${childId}`))
  t.ok((await about(guardian)) > 0)
  t.ok((await about(delegates.owner)) > 0)
  for (const other of [delegates.full_access, delegates.read_only, delegates.expired, delegates.revoked, stranger])
    t.equal(await about(other), 0)
})

test('managers see who has access, others only their own', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  for (const manager of [guardian, delegates.full_access, delegates.owner])
    t.equal(await visible(db, manager.actor, 'profile_access_permissions'), 8)
  for (const grantee of [delegates.read_only, delegates.read_write, delegates.offered, delegates.revoked])
    t.equal(await visible(db, grantee.actor, 'profile_access_permissions'), 1)
  t.equal(await visible(db, stranger.actor, 'profile_access_permissions'), 0)
  t.equal(await visible(db, stranger.actor, 'user_profiles'), 1)
  t.equal(await visible(db, delegates.read_only.actor, 'user_profiles'), 2)
  t.equal(await visible(db, delegates.offered.actor, 'user_profiles'), 1)
})

test('anonymous callers and the bare login may name nothing', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const bare = postgres(appUrl, { max: 1 })
  t.teardown(() => bare.end())
  for (const table of [...open, ...internal]) {
    t.equal(await visible(db, anonymous, table), 'denied', `anon on ${table}`)
    t.equal(await refusal(bare.unsafe(`select 1 from ${table}`)), '42501', `bare login on ${table}`)
  }
})

test('nobody reads what is internal, and nobody writes a table', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, delegates, stranger } = await castOf(db, owner)
  const columns = await owner<{ table: string; column: string }[]>`
    select distinct on (table_name) table_name as table, column_name as column
    from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`
  const firstColumn = new Map(columns.map(({ table, column }) => [table, column]))
  const verbs = (table: string) => [
    sql`insert into ${sql.identifier(table)} overriding system value select (null::${sql.identifier(table)}).* where false`,
    sql`update ${sql.identifier(table)} set ${sql.identifier(firstColumn.get(table) ?? '')} = default`,
    sql`delete from ${sql.identifier(table)}`,
    sql`truncate ${sql.identifier(table)}`,
  ]
  for (const actor of [guardian.actor, delegates.owner.actor, stranger.actor, anonymous]) {
    for (const table of internal) t.equal(await visible(db, actor, table), 'denied', `reads ${table}`)
    for (const table of [...open, ...internal])
      for (const verb of verbs(table)) t.equal(await refusal(ask(db, actor, verb)), '42501', `writes ${table}`)
  }
})

test('an account keeps its own profiles and nobody else does', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const rename = (account: Account) =>
    ask(db, account.actor, sql`update user_profiles set display_name = 'New' where id = ${childId} returning id`)
  t.equal((await rename(guardian)).length, 1)
  for (const other of [delegates.owner, delegates.full_access, stranger]) t.equal((await rename(other)).length, 0)

  const insert = (by: Account, owner: string, type: string) =>
    refusal(
      ask(
        db,
        by.actor,
        sql`insert into user_profiles (account_owner_id, profile_type, display_name) values (${owner}, ${type}, 'X')`,
      ),
    )
  t.equal(await insert(stranger, guardian.accountId, 'child'), '42501', 'a profile for somebody else')
  t.equal(await insert(stranger, stranger.accountId, 'self'), '42501', 'a second self')
  t.equal(await insert(stranger, stranger.accountId, 'pet'), 'allowed')
  const seize = sql`update user_profiles set account_owner_id = ${stranger.accountId} where id = ${childId}`
  t.equal(await refusal(ask(db, guardian.actor, seize)), '42501', 'who owns a profile is not a client’s to say')
  const chosenId = sql`insert into user_profiles (id, account_owner_id, profile_type, display_name)
    values (${randomUUID()}, ${stranger.accountId}, 'pet', 'X')`
  t.equal(await refusal(ask(db, stranger.actor, chosenId)), '42501', 'ids are the server’s')
})

test('access is given by managers, never more than they hold, and never to oneself', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const friend = await signUp(db, 'Friend')
  const grant = (by: Account, to: Account, level: string, endsAt: string | null = null) =>
    refusal(offerAccess(db, by, to, childId, { level, endsAt }))

  t.equal(await grant(stranger, stranger, 'owner'), '42501', 'a stranger to itself')
  t.equal(await grant(delegates.read_only, delegates.read_only, 'owner'), '42501', 'a delegate to itself')
  t.equal(await grant(delegates.read_write, friend, 'read_only'), '42501', 'write access is not managing')
  t.equal(await grant(delegates.offered, friend, 'read_only'), '42501', 'an offer is not access')
  t.equal(await grant(delegates.expired, friend, 'read_only'), '42501')
  t.equal(await grant(delegates.full_access, friend, 'owner'), '42501', 'more than it holds')
  t.equal(await grant(delegates.full_access, delegates.owner, 'read_only'), '42501', 'pushing down an owner')
  t.equal(await grant(delegates.full_access, friend, 'everything'), '42501', 'a level that is none')
  t.equal(await grant(guardian, guardian, 'owner'), '22023')
  t.equal(await grant(delegates.full_access, friend, 'full_access'), 'allowed')

  const carer = await signUp(db, 'Carer')
  await giveAccess(db, guardian, carer, childId, { level: 'full_access', endsAt: 'tomorrow' })
  t.equal(await grant(carer, friend, 'read_only'), '42501', 'longer than it holds')
  t.equal(await grant(carer, friend, 'read_only', 'tomorrow'), 'allowed', 'as long as it holds')
})

test('an offer is accepted by its grantee alone, and left at will', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const mayRead = (account: Account) =>
    askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${childId}) as value`)
  const offer = await offerAccess(db, guardian, stranger, childId)
  const accept = sql`select public.accept_profile_access(${offer})`
  t.equal(await refusal(ask(db, delegates.owner.actor, accept)), 'P0002')
  t.equal(await mayRead(stranger), false)
  await ask(db, stranger.actor, accept)
  t.equal(await mayRead(stranger), true)

  const end = sql`select public.revoke_profile_access(${offer})`
  t.equal(await refusal(ask(db, delegates.read_write.actor, end)), 'P0002', 'not a manager')
  await ask(db, stranger.actor, end)
  t.equal(await mayRead(stranger), false)
  t.equal(await refusal(ask(db, stranger.actor, accept)), 'P0002', 'what is revoked stays revoked')
})

test('questions about somebody else are answered with no', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const questions = (accountId: string) => [
    sql`select public.has_profile_access(${accountId}, ${childId}) as value`,
    sql`select public.has_profile_access_level(${accountId}, ${childId}, 'read_only') as value`,
    sql`select public.has_semantic_data_access(${accountId}, ${childId}, 'clinical') as value`,
  ]
  for (const question of questions(guardian.accountId)) {
    t.equal(await askOne(db, guardian.actor, question), true)
    t.equal(await askOne(db, stranger.actor, question), false, 'no oracle for strangers')
    t.equal(await askOne(db, delegates.owner.actor, question), false, 'nor for delegates')
    t.equal(await refusal(ask(db, anonymous, question)), '42501', 'nor for nobody')
    t.same(await serve(db, question), [{ value: true }])
  }
  for (const question of questions(stranger.accountId)) t.equal(await askOne(db, stranger.actor, question), false)
  const level = (account: Account, required: string | null) =>
    askOne(
      db,
      account.actor,
      sql`select public.has_profile_access_level(${account.accountId}, ${childId}, ${required}) as value`,
    )
  t.equal(await level(delegates.read_write, 'read_write'), true)
  t.equal(await level(delegates.read_write, 'full_access'), false)
  t.equal(await level(guardian, 'everything'), false)
  t.equal(await level(guardian, null), false)
  const kind = sql`select public.has_semantic_data_access(${guardian.accountId}, ${childId}, 'unheard_of') as value`
  t.equal(await askOne(db, guardian.actor, kind), false)
})

test('claims do not make a service or an administrator', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const { childId, guardian, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const session = postgres(appUrl, { max: 1 })
  t.teardown(() => session.end())
  const claims = JSON.stringify({
    sub: stranger.accountId,
    role: 'service_role',
    user_metadata: { is_admin: true, role: 'operator' },
    app_metadata: { role: 'service_role' },
  })
  await session.begin(async (tx) => {
    await tx`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${claims}, true),
      set_config('exora.initiated_by', ${guardian.accountId}, true)`
    t.equal((await tx`select 1 from shell_files`).length, 0)
    const [asked] = await tx`select has_profile_access(${guardian.accountId}, ${childId}) as value`
    t.equal(asked?.['value'], false)
    await tx`insert into user_profiles (account_owner_id, profile_type, display_name)
      values (${stranger.accountId}, 'pet', 'Rex')`
  })
  const [row] = await ownerSql(t, ownerUrl)`
    select changed_by, actor_role from audit_log where table_name = 'user_profiles' order by id desc limit 1`
  t.same(row, { changed_by: stranger.accountId, actor_role: 'authenticated' }, 'the audit believes the token alone')
})

test('an actor cannot change who it is in the database', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = sql.identifier(new URL(ownerUrl).username)
  const { actor } = await signUp(db)
  const attempts = [
    sql`set local role ${owner}`,
    sql`set session authorization ${owner}`,
    sql`alter role exora_app bypassrls`,
    sql`alter table shell_files disable row level security`,
    sql`drop policy client_reads on shell_files`,
    sql`create table public.mine (id int)`,
    sql`create function public.mine() returns int language sql as 'select 1'`,
    sql`grant select on job_queue to authenticated`,
    sql`select * from login.users`,
    sql`select * from auth.users`,
    sql`alter table audit_log disable trigger all`,
  ]
  for (const attempt of attempts) t.equal(await refusal(ask(db, actor, attempt)), '42501')
})

const attemptsOn = (profileId: string, shellFileId: string, reviewId: string) => [
  [sql`select public.reprocess_shell_file(${shellFileId}, 'ocr')`, 'P0002'] as const,
  [sql`select public.decide_identity_review(${reviewId}, 'accepted')`, 'P0002'] as const,
  [sql`select public.begin_idempotent_request(${profileId}, 'k', ${randomUUID()})`, '42501'] as const,
  [sql`select public.check_upload_allowed(${profileId}, 1, 1)`, '42501'] as const,
  [sql`select public.track_shell_file_upload_usage(${profileId}, ${shellFileId}, 1, 1)`, '42501'] as const,
]

test('functions refuse other people’s files, profiles, reviews and keys alike', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, guardian, delegates, stranger } = await castOf(db, owner)
  const [file] = await owner`select id, storage_key from shell_files`
  const [review] = await owner`select id from manual_review_queue`
  const fileId = String(file?.['id'])
  // A stranger and a reader may not; and what exists answers like what does not.
  for (const account of [stranger, delegates.read_only, delegates.expired, delegates.revoked, delegates.offered]) {
    for (const [attempt, state] of attemptsOn(childId, fileId, String(review?.['id'])))
      t.equal(await refusal(ask(db, account.actor, attempt)), state)
    for (const [attempt, state] of attemptsOn(randomUUID(), randomUUID(), randomUUID()))
      t.equal(await refusal(ask(db, account.actor, attempt)), state)
    t.equal(await refusal(upload(db, account, { patientId: childId })), '42501')
  }
  const usage = sql`select public.get_user_usage_status(${childId})`
  t.equal(await refusal(ask(db, stranger.actor, usage)), '42501')
  t.equal(await refusal(ask(db, delegates.read_only.actor, usage)), 'allowed')
  t.equal(await refusal(upload(db, delegates.read_write, { patientId: childId })), 'allowed')
  t.equal((await upload(db, guardian, { patientId: childId })).outcome, 'created')
})

test('an account is not a patient', async (t) => {
  const { db } = await testDatabase(t)
  const account = await signUp(db)
  t.not(account.accountId, account.profileId)
  t.equal(await refusal(upload(db, account, { patientId: account.accountId })), '42501')
})

test('the set of profiles is computed once and used by the index', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian } = await castOf(db, ownerSql(t, ownerUrl))
  const plan = await asActor(db, guardian.actor, async (tx) => {
    await tx.execute(sql`set local enable_seqscan = off`)
    return await tx.execute<{ 'QUERY PLAN': string }>(sql`explain (costs off) select id from shell_files`)
  })
  const text = plan.map((row) => row['QUERY PLAN']).join('\n')
  t.match(text, /InitPlan/)
  t.match(text, /Index Cond: \(patient_id = ANY/)
})
