import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { usageOf } from '../support/usage.ts'

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
