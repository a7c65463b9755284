import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import tap, { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { databaseError } from '../../db/errors.ts'
import { migrate } from '../../db/migrate.ts'
import type { MigrateResult } from '../../db/migrate.ts'
import { provisionAccount } from '../../db/queries/profiles.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import { purgeSteps } from '../../worker/handlers/purge-account.ts'
import { actorOf, ask, refusal, serve } from '../support/actors.ts'
import { catalogueSnapshot, differences, seedSnapshot } from '../support/catalogue-snapshot.ts'
import type { Snapshot } from '../support/catalogue-snapshot.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { asApiCaller, callApi, startSupabase } from '../support/supabase.ts'
import type { ApiCaller, SupabaseProject } from '../support/supabase.ts'

type Site = {
  readonly project: SupabaseProject
  readonly theirs: ReadonlyMap<string, Snapshot>
  readonly oursBefore: Snapshot
  readonly installed: MigrateResult
  /** Again, after the login of server and workers has been made. */
  readonly afterLogin: MigrateResult
  readonly api: postgres.Sql
  readonly platform: postgres.Sql
  readonly auth: postgres.Sql
  readonly db: Database
}

let opened: Promise<Site> | null = null
const openSite = () => (opened ??= install())

/** One project for all tests of this file. */
async function install(): Promise<Site> {
  const project = await startSupabase(tap)
  const theirs = await snapshotsOfTheirs(project)
  const oursBefore = await catalogueSnapshot(project.postgres)
  const installed = await migrate(project.postgres)
  const exoraUrl = await project.makeExoraLogin()
  const afterLogin = await migrate(project.postgres)
  const [api, platform, auth] = [connect(project.authenticator), connect(project.platform), connect(project.auth)]
  const db = openDatabase({ url: exoraUrl, applicationName: 'exora-test', max: 3 })
  tap.teardown(() => Promise.all([api.end(), platform.end(), auth.end(), db.close()]))
  return { project, theirs, oursBefore, installed, afterLogin, api, platform, auth, db }
}

test('it installs as the role that a customer is, and lets in the login of server and workers whenever that is made', async (t) => {
  const { project, installed, afterLogin } = await openSite()
  t.ok(installed.migrations > 0 && installed.sqlFiles.length > 20)
  t.ok(afterLogin.migrations === 0 && afterLogin.sqlFiles.length > 20, 'the login was made after the first migration')
  t.same(await migrate(project.postgres), { migrations: 0, sqlFiles: [] })
})

/** The one extension that we add, where theirs are: it may be anybody's who has the database. */
const isOfTrigrams = /'\$libdir\/pg_trgm'|\bextensions\.gtrgm\b/

test('what belongs to Supabase stays theirs: accounts, claims, files and what their extensions left in public', async (t) => {
  const { project, theirs } = await openSite()
  const now = await snapshotsOfTheirs(project)
  for (const [owner, before] of theirs) {
    const added = differences(now.get(owner) ?? new Map(), before).filter((line) => !isOfTrigrams.test(line))
    t.same(added, [], owner)
  }
  t.ok(theirs.get('auth')?.has('function auth.uid()') && theirs.get('auth')?.has('table auth.users'))
  t.ok(theirs.get('platform')?.has('table public.spatial_ref_sys'))
})

test('tables, functions, policies and the rights of everybody are those of a plain installation', async (t) => {
  const { project, oursBefore } = await openSite()
  const { ownerUrl } = await testDatabase(t)
  const ours = await catalogueSnapshot(project.postgres)
  const added = new Map([...ours].filter(([name]) => !oursBefore.has(name) || name.startsWith('schema ')))
  t.same(differences(added, await catalogueSnapshot(ownerUrl)), [])
  t.same(differences(await seedSnapshot(project.postgres), await seedSnapshot(ownerUrl)), [])
})

test('applying the SQL files a second time changes nothing there either', async (t) => {
  const { project, platform } = await openSite()
  const before = await catalogueSnapshot(project.postgres)
  await platform`delete from exora_internal.sql_files`
  t.ok((await migrate(project.postgres)).sqlFiles.length > 20)
  t.same(differences(await catalogueSnapshot(project.postgres), before), [])
})

test('who is anonymous can read, write and call nothing of ours, though new objects were open to them by default', async (t) => {
  const { api, platform } = await openSite()
  const reach = await platform`
    select class.oid::regclass::text as name
    from pg_class as class
    where relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'exora_internal'::regnamespace, 'drizzle'::regnamespace)
      and relowner = 'postgres'::regrole
      and case
        when relkind = 'S' then has_sequence_privilege('anon', class.oid, 'usage, select, update')
        when relkind in ('r', 'p', 'v', 'm', 'f') then
          has_table_privilege('anon', class.oid, 'select, insert, update, delete, truncate, references, trigger')
          or has_any_column_privilege('anon', class.oid, 'select, insert, update, references')
      end
    union all
    select oid::regprocedure::text from pg_proc
    where proowner = 'postgres'::regrole and pronamespace = 'public'::regnamespace
      and has_function_privilege('anon', oid, 'execute')
    union all
    select nspname from pg_namespace
    where nspname in ('login', 'exora_internal', 'drizzle') and has_schema_privilege('anon', oid, 'usage')`
  t.same([...reach], [])
  t.equal(await refusal(asApiCaller(api, { role: 'anon' }, (tx) => tx`select * from user_profiles`)), '42501')
  t.equal(await refusal(asApiCaller(api, { role: 'anon' }, (tx) => tx`select * from login.users`)), '42501')
  t.equal(await refusal(callApi(api, { role: 'anon' }, 'claim_next_job_v3', { worker_id: 'w' })), '42501')
  t.equal(await refusal(callApi(api, { role: 'anon' }, 'uuid_v7')), '42501')
  t.same(await platform`select * from pg_publication_tables`, [], 'and no table is broadcast')
})

test('what is made later starts closed', async (t) => {
  const { project } = await openSite()
  const owner = connect(project.postgres)
  t.teardown(() => owner.end())
  await owner`create table public.newcomer (id int generated always as identity)`
  await owner`create view public.newcomers as select * from public.newcomer`
  await owner`create function public.newcomer() returns int language sql as 'select 1'`
  for (const role of ['anon', 'authenticated', 'service_role']) {
    const [may] = await owner`
      select has_table_privilege(${role}, 'public.newcomer', 'select, insert, update, delete, truncate') as reach,
        has_table_privilege(${role}, 'public.newcomers', 'select, insert, update, delete, truncate') as view,
        has_sequence_privilege(${role}, 'public.newcomer_id_seq', 'usage, select, update') as sequence,
        has_function_privilege(${role}, 'public.newcomer()', 'execute') as call`
    t.same(may, { reach: false, view: false, sequence: false, call: false }, role)
  }
  await owner`drop view public.newcomers`
  await owner`drop table public.newcomer`
  await owner`drop function public.newcomer()`
})

test('whoever signed up there gets a self profile, uploads, and is read by nobody else', async (t) => {
  const site = await openSite()
  const { api } = site
  const [ann, stranger] = [
    await signUpThere(site, 'ann@example.test'),
    await signUpThere(site, 'stranger@example.test'),
  ]
  t.equal(await callApi(api, service, 'provision_account', provisioning(ann.accountId)).then(only), ann.profileId)

  const file = {
    p_shell_file_id: randomUUID(),
    p_patient_id: ann.profileId,
    p_filename: 'letter.pdf',
    p_mime_type: 'application/pdf',
    p_size_bytes: 1000,
    p_sha256: 'ab'.repeat(32),
    p_storage_key: randomUUID(),
  }
  t.equal(await refusal(callApi(api, stranger.caller, 'register_shell_file', file)), '42501')
  t.match(only(await callApi(api, ann.caller, 'register_shell_file', file)), { outcome: 'created' })
  const names = (caller: ApiCaller) => asApiCaller(api, caller, (tx) => tx`select filename from shell_files`)
  t.same(await names(ann.caller), [{ filename: 'letter.pdf' }])
  t.same(await names(stranger.caller), [], 'a stranger sees no file')
  const profiles = await asApiCaller(api, stranger.caller, (tx) => tx`select id from user_profiles`)
  t.same(profiles, [{ id: stranger.profileId }], 'and no profile but their own')
  const boasting = { ...stranger.caller, claims: { role: 'service_role', app_metadata: { role: 'operator' } } }
  t.same(await names(boasting), [], 'whatever else their token says')

  const status = { p_profile_id: ann.profileId }
  t.match(only(await callApi(api, { ...ann.caller, method: 'GET' }, 'get_user_usage_status', status)), {
    usage: { shell_files: { used: 1, limit: 10 } },
  })
  t.equal(await refusal(callApi(api, stranger.caller, 'get_user_usage_status', status)), '42501')
})

test('calls by named argument work as the role of the token', async (t) => {
  const site = await openSite()
  const { api } = site
  const shellFileId = randomUUID()
  const job = { job_type: 'ocr', job_name: 'ocr', job_payload: { shell_file_id: shellFileId }, priority: 9 }
  const jobId = only(await callApi(api, service, 'enqueue_job_v3', job))
  const [claimed] = await asApiCaller(
    api,
    service,
    (tx) => tx`select * from claim_next_job_v3(worker_id => 'w', job_types => array['ocr'])`,
  )
  t.match(claimed, { id: jobId, status: 'processing', worker_id: 'w' })
  const held = { p_job_id: jobId as string, p_worker_id: 'w' }
  t.equal(only(await callApi(api, service, 'update_job_heartbeat', held)), true)
  t.equal(only(await callApi(api, service, 'complete_job', { ...held, p_job_result: {} })), true)
  t.same(await callApi(api, service, 'claim_next_job_v3', { worker_id: 'w', job_types: ['ocr'] }), [])
  const capacity = { p_provider_name: 'openai', p_api_endpoint: 'gpt-4o-mini', p_estimated_tokens: 10 }
  t.match(only(await callApi(api, service, 'acquire_api_capacity', capacity)), { granted: true })

  const { caller } = await signUpThere(site, 'bob@example.test')
  t.equal(await refusal(callApi(api, caller, 'enqueue_job_v3', job)), '42501')
  t.equal(await refusal(callApi(api, caller, 'provision_account', provisioning(randomUUID()))), '42501')
  t.equal(await refusal(api`select * from public.user_profiles`), '42501', 'the API server itself reaches nothing')
})

test('server and workers do their work through a login that is bound by row level security', async (t) => {
  const site = await openSite()
  const { platform, db } = site
  const ann = await signUpThere(site, 'anna@example.test')
  const account = { ...ann, actor: actorOf(ann.accountId) }
  const { shell_file_id: id } = await upload(db, account)
  t.same(await ask(db, account.actor, sql`select id from public.shell_files`), [{ id }])
  t.same(await ask(db, actorOf(randomUUID()), sql`select id from public.shell_files`), [])
  await serve(db, sql`select public.begin_stage(${id}, 'security_scan', '1')`)
  const [login] = await platform`
    select rolsuper or rolbypassrls as above, pg_has_role('exora_app', 'postgres', 'member') as owner
    from pg_roles where rolname = 'exora_app'`
  t.same(login, { above: false, owner: false })
})

test('no account is made up beside theirs, and none that has a record is deleted under it', async (t) => {
  const site = await openSite()
  const { api, platform, auth, db } = site
  const unknown = randomUUID()
  t.equal(await refusal(callApi(api, service, 'provision_account', provisioning(unknown))), 'PT401')
  t.equal((await auth`select 1 from auth.users where id = ${unknown}`).length, 0)
  const failed = await asService(db, {}, (tx) =>
    provisionAccount(tx, { accountId: unknown, email: null, displayName: null }),
  ).catch((error: unknown) => error)
  t.match(databaseError(failed), { code: 'unauthenticated', status: 401 }, 'the server tells them to sign in')

  const [ann, ben] = [
    await signUpThere(site, 'annie@example.test'),
    await signUpThere(site, 'ben@example.test', 'no profile'),
  ]
  const offer = { p_profile_id: ann.profileId, p_account_id: ben.accountId, p_permission_level: 'read_only' }
  await callApi(api, ann.caller, 'grant_profile_access', offer)
  const remove = (accountId: string) => refusal(auth`delete from auth.users where id = ${accountId}`)
  t.match(await remove(ann.accountId), /^2300[13]$/)
  t.equal(await remove(ben.accountId), 'allowed', 'their service can delete an account that owns nothing')
  const [audited] = await platform`
    select operation, actor_role from public.audit_log where table_name = 'profile_access_permissions' and operation = 'DELETE'`
  t.same(
    audited,
    { operation: 'DELETE', actor_role: 'supabase_auth_admin' },
    'its access ends, and the log says who did it',
  )
})

test('an account that is closed here is erased here, and its login is left to them to delete', async (t) => {
  const site = await openSite()
  const { api, platform, auth, db } = site
  const ada = await signUpThere(site, 'ada@example.test')
  await upload(db, { ...ada, actor: actorOf(ada.accountId) })
  const closureId = String(only(await callApi(api, ada.caller, 'request_account_closure')))
  await platform`update public.account_closures set due_at = now() where id = ${closureId}`
  const store = await openDiskStore(t.testdir())
  const steps = purgeSteps(closureId, { store, write: (work) => asService(db, {}, work) })
  t.equal((await Array.fromAsync(steps)).at(-1), 'account erased')

  t.match(await platform`select evidence ->> 'account' as account from public.account_closures`, [
    { account: 'left to its issuer' },
  ])
  t.same(await platform`select 1 from public.shell_files where patient_id = ${ada.profileId}`, [])
  t.equal(await refusal(callApi(api, service, 'provision_account', provisioning(ada.accountId))), 'EX410')
  t.equal(await refusal(auth`delete from auth.users where id = ${ada.accountId}`), 'allowed')
})

const service: ApiCaller = { role: 'service_role' }
const only = (answer: unknown): unknown => (Array.isArray(answer) && answer.length === 1 ? answer[0] : answer)
const provisioning = (accountId: string) => ({ p_account_id: accountId, p_email: null, p_display_name: 'Somebody' })

/** What their service of accounts writes at a sign-up, and what our server does when it first sees the token. */
async function signUpThere(
  { api, auth }: Site,
  email: string,
  profile: 'with a profile' | 'no profile' = 'with a profile',
) {
  const accountId = randomUUID()
  await auth`
    insert into auth.users (instance_id, id, aud, role, email, encrypted_password, confirmation_token, recovery_token,
      email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
    values ('00000000-0000-0000-0000-000000000000', ${accountId}, 'authenticated', 'authenticated', ${email}, 'hash', '', '',
      '', '', '{}', '{}', now(), now())`
  const caller: ApiCaller = { role: 'authenticated', accountId }
  if (profile === 'no profile') return { accountId, caller, profileId: '' }
  const profileId = only(await callApi(api, service, 'provision_account', provisioning(accountId)))
  return { accountId, caller, profileId: String(profileId) }
}

async function snapshotsOfTheirs(of: SupabaseProject): Promise<Map<string, Snapshot>> {
  const places = ['auth', 'storage', 'realtime', 'extensions', 'public']
  return new Map([
    ['auth', await catalogueSnapshot(of.auth, places)],
    ['storage', await catalogueSnapshot(of.storage, places)],
    ['platform', await catalogueSnapshot(of.platform, places)],
  ])
}

function connect(url: string): postgres.Sql {
  return postgres(url, { max: 2, onnotice: () => {} })
}
