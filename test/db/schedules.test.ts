import type postgres from 'postgres'
import { test } from 'tap'
import type { Teardown } from '../support/postgres.ts'
import { testDatabase } from '../support/postgres.ts'
import { claim, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'

type Rule = Readonly<Record<string, string | number>>
// So long that no test runs into the next slot by itself.
const beat = 1_000_000
const steady: Rule = { name: 'sweep', every_seconds: beat, catch_up: 'latest' }
const inOrder: Rule = { ...steady, catch_up: 'each', max_missed: 4 }
const nightly = (dailyAt: string, timeZone: string): Rule => ({
  name: 'sweep',
  daily_at: dailyAt,
  time_zone: timeZone,
  catch_up: 'latest',
})

type Begun = { readonly begun: readonly string[]; readonly waiting: number; readonly next_in_ms: number | null }

async function begin(sql: postgres.ISql, ...rules: readonly Rule[]): Promise<Begun> {
  const [row] = await sql<Begun[]>`select * from public.begin_due_slots(${sql.json([...rules])})`
  if (row === undefined) throw new Error('begin_due_slots answered nothing')
  return row
}

type Job = { readonly id: string; readonly status: string; readonly slot_at: string }

const jobsOf = async (sql: postgres.ISql) =>
  await sql<Job[]>`
    select id, status, job_payload ->> 'slot_at' as slot_at
    from public.job_queue where job_type = 'run_schedule' order by created_at`

/** As if so many slots had passed since the last one: it, and its job, were those of an earlier time. */
async function moveOn(sql: postgres.ISql, slots: number): Promise<void> {
  await sql`
    update public.job_schedules
    set last_slot_at = last_slot_at - make_interval(secs => ${slots * beat}), next_slot_at = clock_timestamp()`
  await sql`update public.job_queue set idempotency_key = idempotency_key || ' earlier'`
}

async function complete(sql: postgres.ISql): Promise<void> {
  const [job] = await claim(sql, 'w1', { lanes: ['background'] })
  if (job === undefined) throw new Error('nothing to claim')
  await sql`select public.complete_job(${job.id}, 'w1')`
}

async function die(sql: postgres.ISql): Promise<string> {
  const [job] = await claim(sql, 'w1', { lanes: ['background'] })
  if (job === undefined) throw new Error('nothing to claim')
  await sql`select public.fail_job(${job.id}, 'w1', '{"code":"x"}', false)`
  return job.id
}

const service = async (t: Teardown, max = 2) => serviceSql(t, (await testDatabase(t)).appUrl, max)

test('what is due every day is due once a day, also when the clocks change', async (t) => {
  const sql = await service(t)
  const zones = ['Europe/Berlin', 'Australia/Sydney', 'Australia/Lord_Howe', 'America/Nuuk', 'UTC']
  const times = ['00:00', '01:45', '02:00', '02:30', '03:00', '23:30']
  // From slot to slot through two years; the first and the last day are only there to look beyond.
  const rows = await sql`
    with recursive slots (zone, at_time, day, slot_at) as (
      select zone, at_time::time, 0, public.schedule_slot_at(
        null, at_time::time, zone, '2026-01-01'::timestamp at time zone zone
      )
      from unnest(${zones}::text[]) as zone
      cross join unnest(${times}::text[]) as at_time
      union all
      select zone, at_time, day + 1, public.next_schedule_slot(null, at_time, zone, slot_at)
      from slots
      where day < 730
    ),
    walked as (
      select *, lag(slot_at) over (partition by zone, at_time order by day) as earlier from slots
    )
    select
      zone,
      at_time,
      bool_and(slot_at - earlier between '23 hours' and '25 hours') as about_a_day_each,
      bool_and(public.schedule_slot_at(null, at_time, zone, slot_at - interval '1 microsecond') = earlier) as back_too,
      bool_and(slot_at = (first_day + day + at_time) at time zone zone) as on_its_day
    from walked
    cross join lateral (
      select case when at_time = '00:00' then '2026-01-01'::date else '2025-12-31'::date end as first_day
    ) as beginning
    group by zone, at_time`
  t.equal(rows.length, zones.length * times.length)
  for (const { zone, at_time: at, ...held } of rows)
    t.same(held, { about_a_day_each: true, back_too: true, on_its_day: true }, `${zone} ${at}`)
})

test('an hour that a night does not have, or has twice, is one moment', async (t) => {
  const sql = await service(t)
  const slotOn = async (zone: string, day: string, at: string) => {
    const [row] = await sql<{ slot: Date }[]>`
      select public.schedule_slot_at(null, ${at}::time, ${zone}, (${day}::date + 1)::timestamp at time zone ${zone}) as slot`
    return row?.slot.toISOString()
  }
  t.equal(await slotOn('Europe/Berlin', '2027-03-28', '02:30'), '2027-03-28T01:30:00.000Z', 'at 03:30 by the new time')
  t.equal(await slotOn('Europe/Berlin', '2026-10-25', '02:30'), '2026-10-25T01:30:00.000Z', 'the second time')
  t.equal(await slotOn('Australia/Sydney', '2026-10-04', '02:30'), '2026-10-03T16:30:00.000Z', 'at 03:30')
  t.equal(await slotOn('Australia/Sydney', '2027-04-04', '02:30'), '2027-04-03T16:30:00.000Z', 'the second time')
  t.equal(await slotOn('Australia/Lord_Howe', '2026-10-04', '02:15'), '2026-10-03T15:45:00.000Z', 'at 02:45')
  t.equal(await slotOn('Australia/Lord_Howe', '2027-04-04', '01:45'), '2027-04-03T15:15:00.000Z', 'the second time')
})

test('what is due every few seconds keeps its beat over any change of clocks', async (t) => {
  const sql = await service(t)
  const [row] = await sql`
    select count(*)::int as odd
    from generate_series('2026-10-24 00:00Z'::timestamptz, '2026-10-26 00:00Z', '7 minutes') as moment
    where public.schedule_slot_at(600, null, null, moment) <> date_bin('10 minutes', moment, '1970-01-01 00:00Z')
      or public.next_schedule_slot(600, null, null, moment) - public.schedule_slot_at(600, null, null, moment) <> '10 minutes'`
  t.same(row, { odd: 0 })
})

test('ten workers that look at once begin each slot once, round after round', async (t) => {
  const sql = await service(t, 10)
  const rules = Array.from({ length: 12 }, (_, i) => ({ ...steady, name: `sweep ${String(i).padStart(2, '0')}` }))
  for (let round = 1; round <= 3; round += 1) {
    const looks = await Promise.all(Array.from({ length: 30 }, () => begin(sql, ...rules)))
    t.same(
      looks.flatMap(({ begun }) => begun).toSorted(),
      rules.map(({ name }) => name),
    )
    t.equal((await jobsOf(sql)).length, rules.length, 'a job each; the last one has made way')
    for (const _ of rules) await complete(sql)
    await moveOn(sql, 1)
  }
})

test('a slot begins if and only if the transaction that begins it commits', async (t) => {
  const sql = await service(t)
  const failing = sql.begin(async (tx) => {
    t.same((await begin(tx, steady)).begun, ['sweep'])
    throw new Error('half way')
  })
  await t.rejects(failing, { message: 'half way' })
  t.equal((await jobsOf(sql)).length, 0)
  t.same((await begin(sql, steady)).begun, ['sweep'])
  const [job] = await jobsOf(sql)
  const record = await jobRecord(sql, job?.id ?? '')
  t.match(record, { status: 'pending', priority: 8, job_lane: 'background', job_category: 'maintenance' })
})

test('where nobody runs them, jobs of schedules do not pile up', async (t) => {
  const sql = await service(t)
  await begin(sql, steady)
  for (let slot = 0; slot < 5; slot += 1) {
    await moveOn(sql, 1)
    t.match(await begin(sql, steady), { begun: [], waiting: 1 })
  }
  t.equal((await jobsOf(sql)).length, 1)
})

test('after a night without workers the newest slot is run, and no other', async (t) => {
  const sql = await service(t)
  await begin(sql, steady)
  const [first] = await jobsOf(sql)
  await complete(sql)
  await moveOn(sql, 9)
  const { begun, next_in_ms: nextInMs } = await begin(sql, steady)
  t.same(begun, ['sweep'])
  t.ok(nextInMs !== null && nextInMs > 0 && nextInMs <= beat * 1000, 'then it waits for the next')
  const after = await jobsOf(sql)
  t.equal(after.length, 1)
  t.not(after[0]?.id, first?.id)
  await complete(sql)
  t.same((await begin(sql, steady)).begun, [])
})

test('where each slot counts, the missed ones are run one after the other, oldest first, and not without end', async (t) => {
  const sql = await service(t)
  await begin(sql, inOrder)
  const newest = (await jobsOf(sql))[0]?.slot_at ?? ''
  await complete(sql)
  await moveOn(sql, 9)
  const ran: string[] = []
  while ((await begin(sql, inOrder)).begun.length > 0) {
    t.same((await begin(sql, inOrder)).begun, [], 'not while one waits')
    ran.push((await jobsOf(sql)).at(-1)?.slot_at ?? '')
    await complete(sql)
  }
  const slotsBefore = (slot: string) => (Date.parse(newest) - Date.parse(slot)) / beat / 1000
  t.same(ran.map(slotsBefore), [3, 2, 1, 0])
})

test('what is only of use in time is left out when it is late', async (t) => {
  const sql = await service(t)
  const reminder = (grace: number): Rule => ({ ...steady, catch_up: 'skip', grace_seconds: grace })
  await begin(sql, reminder(beat))
  await complete(sql)
  await moveOn(sql, 9)
  t.match(await begin(sql, reminder(0)), { begun: [], waiting: 0 })
  const [row] = await sql`select next_slot_at > clock_timestamp() as later, last_slot_at from public.job_schedules`
  t.equal(row?.['later'], true, 'it waits for its next time')
  t.same((await begin(sql, reminder(beat))).begun, ['sweep'], 'within its grace it is run')
})

test('the next slot takes the place of a run that was given up, unless each counts', async (t) => {
  const sql = await service(t)
  await begin(sql, steady)
  const given = await die(sql)
  await moveOn(sql, 1)
  t.same((await begin(sql, steady)).begun, ['sweep'])
  t.same(
    (await jobsOf(sql)).map(({ status }) => status),
    ['pending'],
  )
  const [failure] = await sql`select error_code from public.processing_errors where job_id = ${given}`
  t.same(failure, { error_code: 'x' }, 'why it failed is kept')

  await complete(sql)
  await moveOn(sql, 3)
  await begin(sql, inOrder)
  const held = await die(sql)
  t.same((await begin(sql, inOrder)).begun, [])
  await sql`select public.requeue_dead_letter(${held})`
  t.match(await begin(sql, inOrder), { begun: [], waiting: 1 })
  await complete(sql)
  t.same((await begin(sql, inOrder)).begun, ['sweep'])
})

test('another hour takes effect, and the day does not get a second run by it', async (t) => {
  const sql = await service(t)
  const zone = 'Australia/Sydney'
  const localDays = async () =>
    (
      await sql<{ day: string }[]>`
      select ((job_payload ->> 'slot_at')::timestamptz at time zone ${zone})::date::text as day from public.job_queue`
    ).map(({ day }) => day)
  await begin(sql, nightly('00:00', zone))
  const [today] = await localDays()
  await complete(sql)

  // Both have been or will be on the same day.
  for (const at of ['00:01', '23:59']) {
    t.same((await begin(sql, nightly(at, zone))).begun, [], at)
    const [row] = await sql`
      select daily_at::text, (next_slot_at at time zone ${zone})::date - ${today ?? ''}::date as days from public.job_schedules`
    t.same(row, { daily_at: `${at}:00`, days: 1 })
  }
  // The day after: that of the new hour, once.
  await sql`
    update public.job_schedules
    set last_slot_at = last_slot_at - interval '1 day', slots_from = slots_from - interval '1 day', next_slot_at = now()`
  t.same((await begin(sql, nightly('00:00', zone))).begun, ['sweep'])
})

test('from days to minutes and back there is no run twice', async (t) => {
  const sql = await service(t)
  const hourly = { ...steady, every_seconds: 3600 }
  await begin(sql, hourly)
  await complete(sql)
  t.same((await begin(sql, { ...hourly, every_seconds: 7200 })).begun, [], 'a longer beat waits for its next slot')
  t.same((await begin(sql, nightly('00:00', 'UTC'))).begun, [], 'the day has had its run')
})

test('a schedule that no worker has any more is not begun, and says so', async (t) => {
  const sql = await service(t)
  const other = { ...steady, name: 'other' }
  await begin(sql, steady, other)
  await complete(sql)
  await complete(sql)
  await sql`select public.remove_other_schedules(array['other'])`
  await moveOn(sql, 1)
  const removed = async () =>
    (await sql`select schedule_name from public.job_schedules where removed_at is not null`).map(
      (row) => row['schedule_name'],
    )
  t.same(await removed(), ['sweep'])
  await begin(sql, other)
  t.same(await removed(), ['sweep'])
  await begin(sql, steady)
  t.same(await removed(), [], 'a worker of an older version still has it')
})

test('what is done once a day follows the time zone that operators choose', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const rule: Rule = { name: 'sweep', daily_at: '03:10', catch_up: 'latest' }
  const zone = async () => (await sql`select time_zone from public.job_schedules`)[0]?.['time_zone']
  const choose = (name: string) =>
    ownerSql(t, ownerUrl)`
      update public.system_configuration set config_value = to_jsonb(${name}::text)
      where config_key = 'schedules.time_zone'`
  await begin(sql, rule)
  t.equal(await zone(), 'UTC')
  await choose('Europe/Berlin')
  await begin(sql, rule)
  t.equal(await zone(), 'Europe/Berlin')
  await choose('Middle/Earth')
  await begin(sql, rule)
  t.equal(await zone(), 'UTC', 'a zone that does not exist changes nothing for long')
})
