import { randomUUID } from 'node:crypto'
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
