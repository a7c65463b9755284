import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Actor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { anonymous, ask, askOne, ownerSql, refusal } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
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
const ofDecisions = [
  'patient_consents',
  'provider_registry',
  'patient_provider_access',
  'break_glass_accesses',
  'data_exports',
  'account_closures',
  'system_notifications',
]
const ofAccess = ['user_profiles', 'profile_access_permissions', 'audit_log']
const forEveryAccount = ['subscription_plans', 'consent_purposes', 'retention_rules']
const internal = [
  'audit_seals',
  'erased_objects',
  'failed_audit_events',
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
const open = [...ofPatient, ...ofAccount, ...ofAccess, ...ofDecisions, ...forEveryAccount]

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
