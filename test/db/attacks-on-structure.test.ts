import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import { anonymous, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { fillRecord, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { probe } from './matrix/probe.ts'

// Holes of an earlier system that are not in one statement but in how things are put together: what was forgotten when a
// table, a part, a policy or a function was made. Each is looked for in all that there is.

const roles = ['anon', 'authenticated', 'service_role', 'exora_app'] as const

test('S8: clients reach two schemas, and every table in them guards its rows', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const reached = async (role: string) => {
    const rows = await owner<{ name: string }[]>`
      select nspname as name from pg_namespace
      where has_schema_privilege(${role}, oid, 'usage') and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`
    return rows.map(({ name }) => name)
  }
  t.same(await reached('anon'), ['auth', 'public'])
  // That of extensions holds functions and no table.
  for (const role of ['authenticated', 'service_role'])
    t.same(await reached(role), ['auth', 'extensions', 'public'], role)
  t.same(await reached('exora_app'), ['login', 'public'], 'the bare login')

  const open = await owner`
    select oid::regclass::text as name from pg_class
    where relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'auth'::regnamespace)
      and relkind in ('r', 'p', 'f') and not (relrowsecurity and relforcerowsecurity)`
  t.same([...open], [], 'without row level security, or not even against its owner')
})

test('S8: what nobody thinks of granting is granted to nobody', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const granted = await owner`
    select role, class.oid::regclass::text as name, verb
    from pg_class as class, unnest(array['anon', 'authenticated', 'service_role', 'exora_app']) as role,
      unnest(array['truncate', 'references', 'trigger', 'maintain']) as verb
    where class.relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'auth'::regnamespace)
      and class.relkind in ('r', 'p', 'v', 'm', 'f')
      and case when verb <> 'maintain' or current_setting('server_version_num')::int >= 170000
        then has_table_privilege(role, class.oid, verb) end`
  t.same([...granted], [])
  for (const role of roles) {
    const [may] = await owner`
      select has_schema_privilege(${role}, 'public', 'create') as tables,
        has_database_privilege(${role}, current_database(), 'create') as schemas,
        (select count(*)::int from pg_class where relnamespace = 'public'::regnamespace
          and case when relkind = 'S' then has_sequence_privilege(${role}, oid, 'usage, select, update') end) as sequences`
    t.same(may, { tables: false, schemas: false, sequences: 0 }, role)
  }
})

test('S9: no part of a table is read around it, by anybody', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian } = await castOf(db, owner)
  const parts = await owner<{ name: string }[]>`
    select oid::regclass::text as name from pg_class
    where relispartition and relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`
  t.ok(parts.length > 3)
  const probes = parts.flatMap(({ name }) => [
    { name: `read ${name}`, statement: `select '' from public.${name}` },
    { name: `write ${name}`, statement: `delete from public.${name}` },
  ])
  const answers = {
    guardian: await asActor(db, guardian.actor, (tx) => probe(tx, probes)),
    anon: await asActor(db, anonymous, (tx) => probe(tx, probes)),
    service: await asService(db, {}, (tx) => probe(tx, probes)),
  }
  for (const [who, answered] of Object.entries(answers))
    t.same(new Set(Object.values(answered).map(({ state }) => state)), new Set(['42501']), who)
})

test('S10: of the functions beside ours, who has no token calls those that read a token', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const rows = await ownerSql(t, ownerUrl)<{ name: string }[]>`
    select func.oid::regprocedure::text as name from pg_proc as func
    join pg_namespace as space on space.oid = func.pronamespace
    where space.nspname !~ '^pg_' and space.nspname <> 'information_schema'
      -- Functions of extensions are anybody's, but their schema is not.
      and has_schema_privilege('anon', space.oid, 'usage')
      and has_function_privilege('anon', func.oid, 'execute')`
  t.same(rows.map(({ name }) => name).toSorted(), ['auth.jwt()', 'auth.uid()'])
})

test('S11: nobody slips words of their own under a function that runs with the rights of the owner', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const { accountId, profileId } = await signUp(db)
  // A session of its own: what was compiled in an earlier one would not be looked up again.
  const session = postgres(appUrl, { max: 1, onnotice: () => {} })
  t.teardown(() => session.end())
  const ran = await session.begin(async (tx) => {
    const claims = JSON.stringify({ sub: accountId })
    await tx`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${claims}, true)`
    for (const shadow of shadows) await tx.unsafe(shadow)
    await tx`select public.has_profile_access(${accountId}, ${profileId})`
    await tx`select public.register_provider('a', 'b', 'c', 'd')`
    await tx`select public.get_user_usage_status(${profileId})`
    await tx`select public.record_consent(${profileId}, 'outside_ai', 'denied')`
    await tx`
      insert into public.user_profiles (account_owner_id, profile_type, display_name) values (${accountId}, 'pet', 'Rex')`
    await tx.unsafe(`select '${accountId}'::uuid`)
    const [row] = await tx`select current_setting('attack.users', true) as users`
    return String(row?.['users'])
  })
  t.match(ran, 'authenticated', 'they run for whoever made them')
  t.notMatch(ran, new URL(ownerUrl).username, 'and for nobody else')
})

/** A type of the caller's own for each that functions speak of, which notes as whom it is used: temporary things are found first. */
const shadows = ['uuid', 'text', 'jsonb', 'timestamptz', 'inet', 'date', 'bytea'].flatMap((name) => [
  `create function pg_temp.note(p_value pg_catalog.${name}) returns pg_catalog.bool language plpgsql as $$
    begin
      perform pg_catalog.set_config(
        'attack.users', pg_catalog.concat(pg_catalog.current_setting('attack.users', true), ' ', current_user), true);
      return true;
    end $$`,
  `create domain pg_temp.${name} as pg_catalog.${name} check (pg_temp.note(value))`,
])

test('S11: no condition of the reader’s own sees a row before it is known to be the reader’s', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { stranger, guardian } = await castOf(db, owner)
  await owner.unsafe(carelessView)
  const overheard = (account: Account) =>
    asActor(db, account.actor, async (tx) => {
      await tx.execute(sql`
        create or replace function pg_temp.overhear(p_value text) returns boolean language plpgsql cost 0.0001 as $$
        begin
          perform set_config('attack.heard', concat(current_setting('attack.heard', true), p_value, ';'), true);
          return true;
        end $$`)
      for (const [place, column] of overheardAt)
        await tx.execute(
          sql`select from ${sql.identifier(place)} where pg_temp.overhear(${sql.identifier(column)}::text)`,
        )
      const [row] = await tx.execute<{ heard: string | null }>(
        sql`select current_setting('attack.heard', true) as heard`,
      )
      return row?.heard ?? ''
    })
  t.match(
    await overheard(guardian),
    /medication.*Medicines.*letter\.pdf.*user_profiles/s,
    'whose rows they are, hears them',
  )
  const heard = await overheard(stranger)
  t.match(heard, 'in the open', 'a view that does not guard its rows is overheard')
  t.notMatch(heard, /letter\.pdf|medication|Medicines/)
})

/** A column of the first table that is read: a condition on it can be asked before everything else. */
const overheardAt = [
  ['patient_record', 'event_type'],
  ['patient_narrative', 'title'],
  ['shell_files', 'filename'],
  ['patient_medications', 'name'],
  ['audit_log', 'table_name'],
  ['careless', 'secret'],
] as const

/** Shows nothing, and is overheard all the same: without it nobody would know that listening works. */
const carelessView = `
  create table public.secrets as select 'in the open' as secret;
  create view public.careless as select secret from public.secrets where length(secret) < 0;
  grant select on public.careless to authenticated`

test('S17: every policy that lets clients write checks whose the row is', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const writing = await ownerSql(t, ownerUrl)<
    { name: string; cmd: string; qual: string | null; check: string | null }[]
  >`
    select tablename as name, cmd, qual, with_check as check from pg_policies
    where roles && '{anon,authenticated,public}'::name[] and cmd <> 'SELECT' order by 1, 2`
  t.same(
    writing.map(({ name, cmd }) => `${name} ${cmd}`),
    ['user_profiles INSERT', 'user_profiles UPDATE'],
  )
  for (const { name, cmd, qual, check } of writing) {
    t.match(check ?? '', /account_owner_id = .*auth\.uid\(\)/, `${name} ${cmd} checks what is written`)
    if (cmd !== 'INSERT')
      t.match(qual ?? '', /account_owner_id = .*auth\.uid\(\)/, `${name} ${cmd} checks what was there`)
  }
})

// Jobs hold ids alone and have no foreign keys: they outlive their files. Whose a job's outcome is, is asked of the file.
const tied = (name: string) => name !== 'job_queue'

test('S20: no table takes a row of one person for another, even from a service', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, other] = [await signUp(db), await signUp(db)]
  for (const account of [person, other]) {
    const { shell_file_id: id } = await upload(db, account)
    await fillRecord(db, { id, patientId: account.profileId })
    await owner`
      insert into resumable_uploads (id, account_id, patient_id, size_bytes, filename, fields, keep_both, expires_at)
      values (gen_random_uuid(), ${account.actor.accountId}, ${account.profileId}, 9, 'x', '{}', false, now() + interval '1 day')`
  }
  const tables = (await writableOfPatients(owner)).filter(tied)
  t.ok(tables.length > 15)
  const moved = tables.map((name) => ({
    name,
    statement: `update public.${name} set patient_id = '${other.profileId}' where patient_id = '${person.profileId}'`,
  }))
  const answers = await asService(db, {}, (tx) => probe(tx, moved))
  for (const name of tables)
    t.ok(['23503', '23514', '42501'].includes(answers[name]?.state ?? ''), `${name}: ${answers[name]?.state}`)

  const added = [
    sql`insert into medical_code_assignments (fact_id, rank, patient_id, code_system, code, display, score01, method)
        select fact_id, 9, ${other.profileId}, 'x', 'x', 'x', 1, 'exact' from medical_code_assignments
        where patient_id = ${person.profileId}`,
    sql`insert into patient_observation_components (event_id, ordinal, patient_id, name, value_numeric)
        select event_id, 9, ${other.profileId}, 'x', 1 from patient_observation_components
        where patient_id = ${person.profileId}`,
    sql`insert into processing_errors (shell_file_id, patient_id, stage, error_type, error_code, error_message, retry_count)
        select id, ${other.profileId}, 'ocr', 'x', 'x', 'x', 0 from shell_files where patient_id = ${person.profileId}`,
  ]
  for (const write of added) t.equal(await refusal(serve(db, write)), '23514')
})

async function writableOfPatients(owner: postgres.Sql): Promise<string[]> {
  const rows = await owner<{ name: string }[]>`
    select class.relname::text as name from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = 'patient_id'
    where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p') and not class.relispartition
      and has_any_column_privilege('service_role', class.oid, 'insert')
    order by 1`
  return rows.map(({ name }) => name)
}
