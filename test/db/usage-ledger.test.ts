import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

test('an upload is counted once, however often it is told', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person, { sizeBytes: 5 * 1_048_576, pages: 7 })
  const replay = sql`select public.track_shell_file_upload_usage(${person.profileId}, ${id}, 999999999, 999) as value`
  t.match(await askOne(db, person.actor, replay), { tracked: true, counted: false })
  t.match((await serve(db, replay))[0], { value: { counted: false } })

  const { usage, status } = await usageOf(db, person)
  t.same(usage, {
    shell_files: { used: 1, limit: 10, percentage: 10 },
    pages: { used: 7, limit: 100, percentage: 7 },
    ai_tokens: { used: 0, limit: 50_000, percentage: 0 },
    storage: { used_mb: 5, limit_mb: 100, percentage: 5 },
  })
  t.same(status, {
    plan_type: 'free',
    over_limit: false,
    upgrade_required: false,
    enforced: false,
    upgrade_prompt: false,
  })
})

test('pages count as they are, whatever the client said, and once', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const long = await upload(db, person, { pages: 1 })
  const short = await upload(db, person, { pages: 9 })
  const measure = (id: string, pages: number) =>
    serve(db, sql`update shell_files set page_count = ${pages} where id = ${id}`)
  await measure(long.shell_file_id, 60)
  await measure(short.shell_file_id, 2)
  await measure(long.shell_file_id, 60)
  await measure(long.shell_file_id, 61)
  t.equal((await usageOf(db, person)).usage.pages.used, 62)
  t.same(await counterDifferences(db), [])
})

test('a hundred uploads at once are a hundred in the ledger and in the counters', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const wide = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 20 })
  t.teardown(() => wide.close())
  const person = await signUp(db)
  const children = await Promise.all(Array.from({ length: 4 }, () => makeProfile(db, person)))
  await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      upload(wide, person, { patientId: children[index % 4] ?? '', pages: 2, sizeBytes: 10 }),
    ),
  )
  const { usage } = await usageOf(db, person)
  t.same([usage.shell_files.used, usage.pages.used], [100, 200])
  t.same(await counterDifferences(db), [])
})

test('who pays is the account that owns the profile, whoever uploads', async (t) => {
  const { db } = await testDatabase(t)
  const [owner, carer] = [await signUp(db), await signUp(db)]
  const childId = await makeProfile(db, owner)
  await giveAccess(db, owner, carer, childId, { level: 'read_write' })
  await upload(db, carer, { patientId: childId })
  t.equal((await usageOf(db, owner)).usage.shell_files.used, 1)
  t.equal((await usageOf(db, carer)).usage.shell_files.used, 0)
  t.equal((await usageOf(db, carer, childId)).usage.shell_files.used, 1, 'the carer sees the limit that applies')
})

test('nobody counts at somebody else’s expense', async (t) => {
  const { db } = await testDatabase(t)
  const [alice, bob] = [await signUp(db), await signUp(db)]
  const { shell_file_id: hers } = await upload(db, alice)
  const count = (profileId: string, fileId: string) =>
    refusal(ask(db, bob.actor, sql`select public.track_shell_file_upload_usage(${profileId}, ${fileId}, 1, 1)`))
  t.equal(await count(alice.profileId, hers), '42501')
  t.equal(await count(bob.profileId, hers), 'P0002')
  await giveAccess(db, alice, bob, alice.profileId, { level: 'owner' })
  t.equal(await count(alice.profileId, randomUUID()), 'P0002', 'a delegate cannot make up files')
  t.equal(await count(bob.profileId, randomUUID()), 'allowed', 'one’s own ledger only ever grows')
  const forService = sql`select public.track_shell_file_upload_usage(${bob.profileId}, ${hers}, 1, 1)`
  t.equal(await refusal(serve(db, forService)), 'P0002', 'not even a service bills one person for another’s file')
})

test('tokens are counted by job, once, and for the job’s own patient', async (t) => {
  const { db } = await testDatabase(t)
  const [person, other] = [await signUp(db), await signUp(db)]
  const { job_id: jobId } = await upload(db, person)
  const track = (profileId: string) =>
    serve(db, sql`select public.track_ai_processing_usage(${profileId}, ${jobId}, 1200, 90) as value`)
  t.match((await track(person.profileId))[0], { value: { counted: true } })
  t.match((await track(person.profileId))[0], { value: { counted: false } })
  t.equal((await usageOf(db, person)).usage.ai_tokens.used, 1_200)
  t.equal(await refusal(track(other.profileId)), 'P0002')
  const asPerson = sql`select public.track_ai_processing_usage(${person.profileId}, ${randomUUID()}, 0)`
  t.equal(await refusal(ask(db, person.actor, asPerson)), '42501')
  t.same(await counterDifferences(db), [])
})

test('a new month starts at nothing, but what is stored is still stored', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  await ownerSql(t, ownerUrl)`
    insert into usage_events
      (account_id, profile_id, event_type, source_id, shell_files, pages, storage_bytes, cycle_start, occurred_at)
    values
      (${person.accountId}, ${person.profileId}, 'file_uploaded', 'old', 1, 50, ${20 * 1_048_576}, '2000-01-01', now() - interval '70 days'),
      (${person.accountId}, ${person.profileId}, 'file_deleted', 'old', 0, 0, ${-5 * 1_048_576}, '2000-01-01', now() - interval '35 days')`
  const { usage } = await usageOf(db, person)
  t.same([usage.shell_files.used, usage.pages.used, usage.storage.used_mb], [0, 0, 15])
  t.same(await counterDifferences(db), [])
})

test('the ledger is never rewritten, and looking at usage writes nothing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await usageOf(db, person)
  t.equal((await owner`select 1 from user_usage_tracking`).length, 0)
  await upload(db, person)
  for (const statement of [`update usage_events set pages = 0`, `delete from usage_events`, `truncate usage_events`])
    t.equal(await refusal(owner.unsafe(statement)), '42501', statement)
  for (const statement of [
    sql`insert into usage_events (profile_id, account_id, event_type, source_id, cycle_start)
        values (${person.profileId}, ${person.accountId}, 'file_uploaded', 'x', now())`,
    sql`update user_usage_tracking set pages = 0`,
  ])
    t.equal(await refusal(serve(db, statement)), '42501', 'services go through the functions')
})

test('with tracking off nothing is counted and uploads go on', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = false where feature_name = 'usage_tracking_enabled'`
  const person = await signUp(db)
  t.equal((await upload(db, person)).outcome, 'created')
  t.equal((await usageOf(db, person)).usage.shell_files.used, 0)
})
