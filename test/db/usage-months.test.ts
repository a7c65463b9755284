import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import { listUsageHistory } from '../../db/queries/usage-history.ts'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

const liveIn = (owner: postgres.Sql, person: Account, zone: string) =>
  owner`update user_profiles set time_zone = ${zone} where id = ${person.profileId}`

test('months end where the account lives: after leap days, and by the clock on the wall', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const lastDays: readonly (readonly [string, string, string, string])[] = [
    ['UTC', '2028-02-10T00:00:00Z', '2028-02-29', '2028-03-01T00:00:00Z'],
    ['UTC', '2100-02-10T00:00:00Z', '2100-02-28', '2100-03-01T00:00:00Z'],
    ['UTC', '2026-04-30T23:59:59.999999Z', '2026-04-30', '2026-05-01T00:00:00Z'],
    // The clocks change within the month, on its last day, and at the very midnight at which the next begins.
    ['Australia/Sydney', '2026-10-01T00:00:00Z', '2026-10-31', '2026-10-31T13:00:00Z'],
    ['Europe/Berlin', '2024-03-31T00:30:00Z', '2024-03-31', '2024-03-31T22:00:00Z'],
    ['Asia/Amman', '2011-03-31T12:00:00Z', '2011-03-31', '2011-03-31T22:00:00Z'],
    // A day that was never lived there.
    ['Pacific/Apia', '2011-12-31T09:59:59Z', '2011-12-31', '2011-12-31T10:00:00Z'],
    ['Asia/Kathmandu', '2026-01-31T18:14:59Z', '2026-01-31', '2026-01-31T18:15:00Z'],
  ]
  for (const [zone, at, lastDay, resetsAt] of lastDays) {
    await liveIn(owner, person, zone)
    const [cycle] = await owner`
      select last_day::text, resets_at from usage_cycle(${person.accountId}, ${at}::timestamptz)`
    t.same(cycle, { last_day: lastDay, resets_at: new Date(resetsAt) }, `${zone} ${at}`)
    const [next] = await owner`
      select first_day::text as day from usage_cycle(${person.accountId}, ${resetsAt}::timestamptz)`
    t.equal(next?.['day'].slice(8), '01', 'the reset is the first instant of a month')
  }
})

test('who moves to another time zone near the end of a month counts everything once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  // There is always a place where it is another month already, or still: seen from there, now is near an edge.
  const [zones] = await owner<{ here: string; there: string; at: Date }[]>`
    select 'Etc/GMT-14' as here, 'Etc/GMT+12' as there,
      (date_trunc('month', now() at time zone 'UTC') - interval '1 hour') at time zone 'UTC' as at`
  if (zones === undefined) throw new Error('no zones')
  const book = (source: string, pages: number) => owner`
    insert into usage_events (account_id, profile_id, event_type, source_id, shell_files, pages, cycle_start, occurred_at)
    values (${person.accountId}, ${person.profileId}, 'file_uploaded', ${source}, 1, ${pages}, '1999-01-01', ${zones.at})`
  const months = () => owner`
    select cycle_start::text, source_id from usage_events order by source_id`
  const usedAt = async (zone: string) => {
    await liveIn(owner, person, zone)
    const [used] = await owner`
      select coalesce(sum(counter.pages), 0)::int as pages
      from usage_cycle(${person.accountId}, ${zones.at}) as cycle
      join user_usage_tracking as counter on counter.cycle_start = cycle.first_day
      where counter.account_id = ${person.accountId}`
    return used?.['pages']
  }
  await liveIn(owner, person, zones.here)
  await book('a', 10)
  const before = await months()
  await liveIn(owner, person, zones.there)
  await book('b', 5)
  await owner`
    insert into usage_events (account_id, profile_id, event_type, source_id, shell_files, pages, cycle_start)
    values (${person.accountId}, ${person.profileId}, 'file_uploaded', 'a', 1, 10, '1999-01-01')
    on conflict do nothing`
  const [first, second] = await months()
  t.same(first, before[0], 'what is booked stays in its month')
  t.not(second?.['cycle_start'], first?.['cycle_start'])
  t.same([await usedAt(zones.here), await usedAt(zones.there)], [10, 5], 'each in one month, neither in both')
  t.same(await counterDifferences(db), [])
})

test('pages are corrected in the month of their upload, wherever the account lives by then', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await liveIn(owner, person, 'Etc/GMT-14')
  const { shell_file_id: id } = await upload(db, person, { pages: 1 })
  // As if it had come half a day before the month began: still this month in the one zone, not yet in the other.
  await owner`
    update shell_files set created_at = (date_trunc('month', now() at time zone 'UTC') - interval '1 hour') at time zone 'UTC'
    where id = ${id}`
  await liveIn(owner, person, 'Etc/GMT+12')
  await serve(db, sql`update shell_files set page_count = 60 where id = ${id}`)
  const months = await owner`select distinct cycle_start from usage_events`
  t.equal(months.length, 1)
  t.same(await counterDifferences(db), [])
})

test('an upload that is told after its month has ended counts in that month', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const track = (on: boolean) =>
    owner`update feature_flags set enabled = ${on} where feature_name = 'usage_tracking_enabled'`
  await track(false)
  const { shell_file_id: late } = await upload(db, person, { pages: 4 })
  await track(true)
  const { shell_file_id: known } = await upload(db, person, { pages: 5 })
  await owner`update shell_files set created_at = now() - interval '40 days' where id = ${late}`
  const tell = (id: string) =>
    serve<{ value: { counted: boolean } }>(
      db,
      sql`select public.track_shell_file_upload_usage(${person.profileId}, ${id}, 1, 1) as value`,
    )
  t.match(await tell(late), [{ value: { counted: true } }])
  t.match(await tell(known), [{ value: { counted: false } }])
  t.equal((await usageOf(db, person)).usage.pages.used, 5)
  const [booked] = await owner`
    select event.cycle_start = cycle.first_day as in_its_month
    from usage_events as event
    join shell_files as file on file.id::text = event.source_id
    cross join usage_cycle(${person.accountId}, file.created_at) as cycle
    where file.id = ${late}`
  t.same(booked, { in_its_month: true })
})

test('the history is the ledger, month by month and profile by profile, for whoever pays', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, helper] = [await signUp(db), await signUp(db)]
  const childId = await makeProfile(db, person)
  await giveAccess(db, person, helper, childId, { level: 'owner' })
  for (const [profileId, daysAgo, bytes] of [
    [person.profileId, 70, 1000],
    [person.profileId, 35, -400],
    [childId, 35, 50],
    [person.profileId, 0, 7],
  ] as const)
    await owner`
      insert into usage_events (account_id, profile_id, event_type, source_id, shell_files, pages, storage_bytes, cycle_start, occurred_at)
      values (${person.accountId}, ${profileId}, 'file_uploaded', ${randomUUID()}, 1, 2, ${bytes}, '1999-01-01',
        now() - make_interval(days => ${daysAgo}))`
  const historyOf = (by: Account, profileId: string | null, cycles = 12) =>
    asActor(db, by.actor, (tx) => listUsageHistory(tx, { profileId, cycles }))

  const history = await historyOf(person, null)
  t.match(
    history.filter((month) => month.profileId === person.profileId),
    [
      { shellFiles: 1, pages: 2, storageBytesAdded: 7, storageBytes: 607 },
      { storageBytesAdded: -400, storageBytes: 600 },
      { storageBytesAdded: 1000, storageBytes: 1000 },
    ],
  )
  t.match(await historyOf(person, childId), [{ profileId: childId, storageBytes: 50 }])
  t.equal((await historyOf(person, null, 2)).length, 3, 'the newest two months')
  const sums = await owner`
    select cycle_start::text, profile_id, sum(shell_files)::int as files, sum(pages)::int as pages, sum(storage_bytes)::int as bytes
    from usage_events group by 1, 2 order by 1 desc, 2`
  t.same(
    history.map((month) => ({
      cycle_start: month.cycleStart,
      profile_id: month.profileId,
      files: month.shellFiles,
      pages: month.pages,
      bytes: month.storageBytesAdded,
    })),
    [...sums],
  )

  t.same(await historyOf(helper, null), [], 'a delegate has a history of its own')
  for (const profileId of [childId, person.profileId, randomUUID()])
    t.equal(await refusal(historyOf(helper, profileId)), '42501')
  t.equal((await asService(db, {}, (tx) => listUsageHistory(tx, { profileId: childId, cycles: 1 }))).length, 1)
  t.equal(await refusal(serve(db, sql`select * from public.get_usage_history()`)), '42501', 'of whom?')
  t.equal(await refusal(ask(db, helper.actor, sql`select public.usage_cycle(${person.accountId}, now())`)), '42501')
})

test('the status has the members and types that are published', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  await upload(db, person, { sizeBytes: 1_572_864, pages: 3 })
  const typesOf = async () => {
    const rows = await ask<{ path: string; type: string }>(
      db,
      person.actor,
      sql`with recursive member (path, value) as (
            select key, value from jsonb_each(public.get_user_usage_status(${person.profileId}))
            union all
            select member.path || '.' || inner_member.key, inner_member.value
            from member
            cross join lateral jsonb_each(case jsonb_typeof(member.value) when 'object' then member.value else '{}' end) as inner_member
          )
          select path, jsonb_typeof(value) as type from member where jsonb_typeof(value) <> 'object'`,
    )
    return Object.fromEntries(rows.map(({ path, type }) => [path, type]))
  }
  const meters = ['shell_files', 'pages', 'ai_tokens'].map((name) => [name, 'used', 'limit'] as const)
  const numbers = [...meters, ['storage', 'used_mb', 'limit_mb'] as const].flatMap(([name, used, limit]) =>
    [used, limit, 'percentage'].map((field) => [`usage.${name}.${field}`, 'number'] as const),
  )
  const published = {
    'current_period.start': 'string',
    'current_period.end': 'string',
    'status.plan_type': 'string',
    'status.over_limit': 'boolean',
    'status.upgrade_required': 'boolean',
    ...Object.fromEntries(numbers),
  }
  t.match(await typesOf(), published)
  t.match((await usageOf(db, person)).usage.storage, { used_mb: 1.5, limit_mb: 100, percentage: 1.5 })
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'enterprise')`)
  const unlimited = numbers.map(([path]) => [path, /\.used/.test(path) ? 'number' : 'null'])
  t.match(await typesOf(), Object.fromEntries(unlimited))
})
