import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, refusalDetail, serve, signUp } from '../support/actors.ts'
import { makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

const enforceLimits = (owner: postgres.Sql) =>
  owner`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
const megabyte = 1_048_576

/** Two servers over one database, each with connections of its own. */
function twoPools(t: Teardown, appUrl: string): (turn: number) => Database {
  const open = () => openDatabase({ url: appUrl, applicationName: 'exora-test', max: 10 })
  const [one, other] = [open(), open()]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  return (turn) => (turn % 2 === 0 ? one : other)
}

test('of a hundred uploads at once exactly as many are taken as each limit allows', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  await enforceLimits(ownerSql(t, ownerUrl))
  const pool = twoPools(t, appUrl)
  const cases = [
    { limit: 'shell_files', each: { pages: 1, sizeBytes: 10 }, taken: 10, used: 10 },
    { limit: 'pages', each: { pages: 16, sizeBytes: 10 }, taken: 6, used: 96 },
    { limit: 'storage', each: { pages: 1, sizeBytes: 30 * megabyte }, taken: 3, used: 90 * megabyte },
  ]
  for (const { limit, each, taken, used } of cases) {
    const person = await signUp(db)
    const profiles = [person.profileId, await makeProfile(db, person), await makeProfile(db, person)]
    const states = await Promise.all(
      Array.from({ length: 100 }, (_, turn) =>
        refusal(upload(pool(turn), person, { patientId: profiles[turn % 3] ?? '', ...each })),
      ),
    )
    t.equal(states.filter((state) => state === 'allowed').length, taken, limit)
    t.equal(states.filter((state) => state === 'EX402').length, 100 - taken)
    const kept = await serve(db, sql`select 1 from shell_files where uploaded_by = ${person.accountId}`)
    t.equal(kept.length, taken, 'what is refused leaves nothing')
    t.match(await refusalDetail(upload(db, person, each)), { limit_name: limit, used })
  }
  t.same(await counterDifferences(db), [])

  const spent = await signUp(db)
  await upload(db, spent, { pages: 100 })
  const check = sql`select public.check_upload_allowed(${spent.profileId}, 1, 1) as value`
  t.match(await askOne(db, spent.actor, check), {
    allowed: false,
    enforced: true,
    passed: [{ limit_name: 'pages', used: 100, limit: 100 }],
  })
  t.equal((await upload(db, await signUp(db))).outcome, 'created', 'one account’s limit is not another’s')
})

test('limits hold while documents are deleted and restored and plans change, and nobody waits in a circle', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await enforceLimits(owner)
  await owner`update subscription_plans set shell_files_limit = null, pages_limit = null where plan_type = 'free'`
  const pool = twoPools(t, appUrl)
  const person = await signUp(db)
  const profiles = [person.profileId, await makeProfile(db, person)]
  const old = await Promise.all(
    Array.from({ length: 8 }, (_, turn) =>
      upload(db, person, { patientId: profiles[turn % 2] ?? '', sizeBytes: 10 * megabyte, content: `old ${turn}` }),
    ),
  )
  const oldId = (turn: number) => old[turn % old.length]?.shell_file_id ?? ''
  const change = (turn: number) => {
    const by = pool(turn)
    switch (turn % 5) {
      case 0:
        return ask(by, person.actor, sql`select public.delete_shell_file(${oldId(turn)})`)
      case 1:
        return ask(by, person.actor, sql`select public.restore_shell_file(${oldId(turn)})`)
      case 2:
        return serve(
          by,
          turn % 2 === 0
            ? sql`select public.set_account_plan(${person.accountId}, 'free')`
            : sql`select public.set_account_plan(${person.accountId}, 'basic', now() + interval '1 day')`,
        )
      case 3:
        // Bytes that are deleted and restored beside it.
        return upload(by, person, {
          patientId: profiles[turn % 2] ?? '',
          sizeBytes: 10 * megabyte,
          content: `old ${turn % 8}`,
        })
      default:
        return upload(by, person, { patientId: profiles[turn % 2] ?? '', sizeBytes: 10 * megabyte })
    }
  }
  const states = await Promise.all(Array.from({ length: 100 }, (_, turn) => refusal(change(turn))))
  t.same(
    states.filter((state) => !['allowed', 'EX402', '23505'].includes(state)),
    [],
  )
  t.same(await counterDifferences(db), [])
  const [stored] = await owner`
    select
      (select coalesce(sum(size_bytes), 0)::float8 from shell_files where deleted_at is null) as in_use,
      (select sum(storage_bytes)::float8 from user_usage_tracking) as counted,
      (select count(*)::int from shell_files) as files,
      (select sum(shell_files)::int from user_usage_tracking) as files_counted`
  t.equal(stored?.['counted'], stored?.['in_use'], 'the gauge is what is stored')
  t.equal(stored?.['files_counted'], stored?.['files'])
  t.ok(Number(stored?.['in_use']) <= 100 * megabyte, 'and that is never more than the plan allows')
})

test('a file that the patient has already is answered, not refused, at the limit', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await enforceLimits(ownerSql(t, ownerUrl))
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
