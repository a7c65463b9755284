import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { ask, ownerSql, refusal, signUp } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

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

test('a reader is told what an upload would meet, and whoever may write makes it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates } = await castOf(db, ownerSql(t, ownerUrl))
  const usage = sql`select public.get_user_usage_status(${childId})`
  t.equal(await refusal(ask(db, delegates.read_only.actor, usage)), 'allowed')
  t.equal(await refusal(upload(db, delegates.read_only, { patientId: childId })), '42501')
  t.equal(await refusal(upload(db, delegates.read_write, { patientId: childId })), 'allowed')
  t.equal((await upload(db, guardian, { patientId: childId })).outcome, 'created')
})
