import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

// They become part of their callers, which pin theirs; nobody may call them.
const inlined = new Set(['profile_grants_of', 'access_level_rank', 'basis_rank'])

const sameForEverybody = new Set([
  'subscription_plans',
  'consent_purposes',
  'retention_rules',
  'terminology_systems',
  'terminology_concepts',
  'terminology_synonyms',
])

test('every function has a pinned search path, a purpose, and one meaning', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const functions = await owner<{ name: string; pinned: boolean; purpose: string | null; owner_rules: boolean }[]>`
    select
      func.proname as name,
      coalesce(func.proconfig @> array['search_path=pg_catalog, pg_temp'], false) as pinned,
      obj_description(func.oid, 'pg_proc') as purpose,
      role.rolsuper or role.rolbypassrls as owner_rules
    from pg_proc as func
    join pg_roles as role on role.oid = func.proowner
    where func.pronamespace = 'public'::regnamespace`
  t.ok(functions.length > 60)
  for (const { name, pinned, purpose, owner_rules: ownerRules } of functions) {
    t.equal(pinned, !inlined.has(name), `${name} pins its search path`)
    t.ok(purpose, `${name} says what it is for`)
    t.notOk(ownerRules, `${name} does not run as somebody above row level security`)
  }
  t.equal(new Set(functions.map(({ name }) => name)).size, functions.length, 'no call is ambiguous')
})

test('every table is protected, even against its owner, and says what it is for', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const tables = await ownerSql(t, ownerUrl)<
    { name: string; enabled: boolean; forced: boolean; policies: number; purpose: string | null }[]
  >`
    select
      class.oid::regclass::text as name,
      class.relrowsecurity as enabled,
      class.relforcerowsecurity as forced,
      (select count(*) from pg_policy where polrelid = class.oid)::int as policies,
      obj_description(class.oid, 'pg_class') as purpose
    from pg_class as class
    where class.relnamespace in ('public'::regnamespace, 'login'::regnamespace) and class.relkind in ('r', 'p')`
  t.ok(
    tables.some(({ name }) => name.startsWith('audit_log_2')),
    'partitions are among them',
  )
  for (const { name, enabled, forced, policies, purpose } of tables) {
    t.ok(enabled && forced, `${name} has row level security, forced`)
    t.ok(policies > 0, `${name} has a policy`)
    t.ok(purpose, `${name} says what it is for`)
  }
})

test('for each table, command and role there is one policy, and none of clients lets everything through', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const policies = await ownerSql(t, ownerUrl)<
    { tablename: string; cmd: string; roles: string[]; qual: string | null; with_check: string | null }[]
  >`
    select tablename, cmd, roles::text[] as roles, qual, with_check from pg_policies
    where schemaname in ('public', 'login')`
  const seen = new Set<string>()
  const everyCommand = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
  for (const { tablename, cmd, roles, qual, with_check: check } of policies) {
    for (const role of roles) {
      for (const command of cmd === 'ALL' ? everyCommand : [cmd]) {
        const place = `${tablename} ${command} ${role}`
        t.notOk(seen.has(place), `${place}: one policy`)
        seen.add(place)
      }
      t.notOk(['anon', 'public'].includes(role), `${tablename}: nothing for ${role}`)
      if (role !== 'authenticated' || sameForEverybody.has(tablename)) continue
      t.match(
        `${qual ?? ''}${check ?? ''}`,
        /uid\(\)|accessible_profile_ids|shell_files|own_provider_id/,
        `${tablename} ${cmd}`,
      )
      t.ok(cmd === 'SELECT' || check, `${tablename} ${cmd} checks what is written`)
    }
  }
})

test('views see what the reader sees', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const views = await ownerSql(t, ownerUrl)<{ name: string; options: string[] | null }[]>`
    select relname as name, reloptions as options from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')`
  // Asks for access itself, as the matrix tries with everybody.
  const asking = new Set(['patient_record'])
  for (const { name, options } of views) {
    t.ok(options?.includes('security_barrier=true'), name)
    t.equal(options?.includes('security_invoker=true'), !asking.has(name), name)
  }
})

test('what is made later starts closed', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`create table public.newcomer (id int)`
  await owner`create function public.newcomer() returns int language sql as 'select 1'`
  for (const role of ['anon', 'authenticated', 'service_role']) {
    const [may] = await owner`
      select has_table_privilege(${role}, 'public.newcomer', 'select, insert, update, delete') as reach,
        has_function_privilege(${role}, 'public.newcomer()', 'execute') as call`
    t.same(may, { reach: false, call: false }, role)
  }
})
