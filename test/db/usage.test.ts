import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, refusalDetail, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const meter = z.object({ used: z.number(), limit: z.number().nullable(), percentage: z.number().nullable() })
const usageStatus = z.object({
  current_period: z.object({ start: z.iso.date(), end: z.iso.date(), resets_at: z.string() }),
  usage: z.object({
    shell_files: meter,
    pages: meter,
    ai_tokens: meter,
    storage: z.object({ used_mb: z.number(), limit_mb: z.number().nullable(), percentage: z.number().nullable() }),
  }),
  status: z.object({
    plan_type: z.string(),
    over_limit: z.boolean(),
    upgrade_required: z.boolean(),
    enforced: z.boolean(),
  }),
  warnings: z.array(z.object({ limit_name: z.string(), level: z.enum(['near', 'reached', 'over']) })),
})

async function usageOf(db: Database, by: Account, profileId = by.profileId) {
  return usageStatus.parse(await askOne(db, by.actor, sql`select public.get_user_usage_status(${profileId}) as value`))
}

/** Whether every counter is the sum of its ledger rows. */
async function counterDifferences(db: Database) {
  return await serve(
    db,
    sql`select * from (
          select account_id, profile_id, cycle_start, sum(shell_files) as files, sum(pages) as pages, sum(ai_tokens) as tokens,
            sum(ai_seconds) as seconds, sum(storage_bytes) as bytes
          from usage_events group by 1, 2, 3
        ) as ledger
        full join user_usage_tracking as counter using (account_id, profile_id, cycle_start)
        where (ledger.files, ledger.pages, ledger.tokens, ledger.seconds, ledger.bytes) is distinct from
          (counter.shell_files, counter.pages, counter.ai_tokens, counter.ai_seconds, counter.storage_bytes)`,
  )
}

test('the plans are those that are published', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const plans = await ask(
    db,
    person.actor,
    sql`select plan_type, shell_files_limit as files, pages_limit as pages, ai_tokens_limit::int as tokens,
          storage_mb_limit as mb, monthly_price::text as price
        from subscription_plans order by sort_order`,
  )
  t.same(plans, [
    { plan_type: 'free', files: 10, pages: 100, tokens: 50_000, mb: 100, price: '0.00' },
    { plan_type: 'basic', files: 100, pages: 1_000, tokens: 500_000, mb: 1_000, price: '9.99' },
    { plan_type: 'premium', files: 500, pages: 5_000, tokens: 2_500_000, mb: 5_000, price: '29.99' },
    { plan_type: 'enterprise', files: null, pages: null, tokens: null, mb: null, price: '99.99' },
  ])
  const flags = await serve(db, sql`select feature_name, enabled from feature_flags where enabled`)
  t.same(flags, [{ feature_name: 'usage_tracking_enabled', enabled: true }])
})

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
  t.same(status, { plan_type: 'free', over_limit: false, upgrade_required: false, enforced: false })
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

test('with limits enforced, of thirty uploads at once exactly the allowed ten are taken', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const wide = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 15 })
  t.teardown(() => wide.close())
  const person = await signUp(db)
  const childId = await makeProfile(db, person)
  const states = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      refusal(upload(wide, person, { patientId: index % 2 === 0 ? childId : person.profileId })),
    ),
  )
  t.equal(states.filter((state) => state === 'allowed').length, 10)
  t.equal(states.filter((state) => state === 'EX402').length, 20)
  t.equal((await serve(db, sql`select 1 from shell_files`)).length, 10, 'what is refused leaves nothing')
  t.equal((await usageOf(db, person)).usage.shell_files.used, 10)
  t.same(await counterDifferences(db), [])

  t.match(await refusalDetail(upload(db, person)), { limit_name: 'shell_files', used: 10, limit: 10, requested: 1 })
  const check = sql`select public.check_upload_allowed(${person.profileId}, 1, 1) as value`
  t.match(await askOne(db, person.actor, check), {
    allowed: false,
    enforced: true,
    passed: [{ limit_name: 'shell_files', used: 10, limit: 10 }],
  })
  t.equal((await upload(db, await signUp(db))).outcome, 'created', 'one account’s limit is not another’s')
})

test('a file that the patient has already is answered, not refused, at the limit', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const person = await signUp(db)
  await upload(db, person, { content: 'letter', pages: 100 })
  t.equal(await refusal(upload(db, person)), 'EX402')
  t.equal((await upload(db, person, { content: 'letter' })).outcome, 'duplicate')
})

test('without enforcement nothing is refused, but people are told', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  await upload(db, person, { pages: 85 })
  t.same((await usageOf(db, person)).warnings, [{ limit_name: 'pages', level: 'near' }])
  await upload(db, person, { pages: 15 })
  t.match(await usageOf(db, person), {
    status: { over_limit: false, upgrade_required: true },
    warnings: [{ limit_name: 'pages', level: 'reached' }],
  })
  t.equal(await refusal(upload(db, person, { pages: 50 })), 'allowed')
  t.match(await usageOf(db, person), {
    usage: { pages: { used: 150, limit: 100, percentage: 150 } },
    status: { over_limit: true, upgrade_required: true },
    warnings: [{ limit_name: 'pages', level: 'over' }],
  })
  const check = sql`select public.check_upload_allowed(${person.profileId}, 1, 1) as value`
  t.match(await askOne(db, person.actor, check), { allowed: true, enforced: false, passed: [{ limit_name: 'pages' }] })
})

test('a plan holds for the whole account from the moment it is set', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const childId = await makeProfile(db, person)
  await upload(db, person, { patientId: childId })
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'basic')`)
  t.match(await usageOf(db, person), {
    usage: { shell_files: { used: 1, limit: 100 } },
    status: { plan_type: 'basic' },
  })
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'enterprise')`)
  t.same((await usageOf(db, person, childId)).usage.pages, { used: 1, limit: null, percentage: null })
  t.equal((await usageOf(db, person)).status.over_limit, false, 'no limit is never passed')
  t.equal((await serve(db, sql`select 1 from account_subscriptions where effective_to is null`)).length, 1)
  t.equal(await refusal(serve(db, sql`select public.set_account_plan(${person.accountId}, 'gold')`)), '23503')
})

test('a month begins at midnight where the account lives', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const childId = await makeProfile(db, person)
  await ask(db, person.actor, sql`update user_profiles set time_zone = 'Pacific/Auckland' where id = ${childId}`)
  const inZone = async (zone: string, at: string) => {
    await owner`update user_profiles set time_zone = ${zone} where id = ${person.profileId}`
    const [cycle] = await owner`
      select first_day::text, last_day::text, resets_at from usage_cycle(${person.accountId}, ${at}::timestamptz)`
    return cycle
  }
  const lastSecond = '2026-02-28T12:59:59Z'
  const firstSecond = '2026-02-28T13:00:00Z'
  const february = { first_day: '2026-02-01', last_day: '2026-02-28', resets_at: new Date(firstSecond) }
  t.same(await inZone('Australia/Sydney', lastSecond), february)
  t.match(await inZone('Australia/Sydney', firstSecond), { first_day: '2026-03-01', last_day: '2026-03-31' })
  t.match(await inZone('America/New_York', firstSecond), { first_day: '2026-02-01' })
  t.match(await inZone('UTC', '2024-02-29T23:59:59.999999Z'), { first_day: '2024-02-01', last_day: '2024-02-29' })
  // Summer time ends in April: the month is an hour longer, and resets by the clock on the wall.
  t.match(await inZone('Australia/Sydney', '2026-04-15T00:00:00Z'), { resets_at: new Date('2026-04-30T14:00:00Z') })

  await owner`update user_profiles set time_zone = 'Australia/Sydney' where id = ${person.profileId}`
  for (const [index, at] of [lastSecond, firstSecond].entries()) {
    await owner`
      insert into usage_events (account_id, profile_id, event_type, source_id, pages, cycle_start, occurred_at)
      values (${randomUUID()}, ${childId}, 'file_uploaded', ${`edge-${index}`}, 1, '1999-01-01', ${at})`
  }
  const booked = await owner`select cycle_start::text, account_id from usage_events order by source_id`
  t.same(
    [...booked],
    [
      { cycle_start: '2026-02-01', account_id: person.accountId },
      { cycle_start: '2026-03-01', account_id: person.accountId },
    ],
    'the ledger derives month and account, whatever it is told',
  )
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
