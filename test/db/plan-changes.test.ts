import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { schedulePlanChange } from '../../db/queries/subscriptions.ts'
import { asActor } from '../../db/actor.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { usageOf } from '../support/usage.ts'

const setPlan = (db: Database, { accountId }: Account, plan: string, from: SQL = sql`now()`) =>
  serve(db, sql`select public.set_account_plan(${accountId}, ${plan}, ${from})`)
const periodsOf = (db: Database, { accountId }: Account) =>
  serve<{ plan_type: string; is_open: boolean; in_days: number }>(
    db,
    sql`select plan_type, effective_to is null as is_open,
          round(extract(epoch from effective_from - now()) / 86400)::int as in_days
        from account_subscriptions where account_id = ${accountId} order by effective_from, effective_to nulls last`,
  )

test('a plan may be set for later, and what is set after that replaces it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const inDays = (days: number) => sql`now() + make_interval(days => ${days})`
  const planIn = async (days: number) => {
    const [plan] =
      await owner`select plan_type from account_plan(${person.accountId}, now() + make_interval(days => ${days}))`
    return plan?.['plan_type']
  }
  await setPlan(db, person, 'premium', inDays(10))
  await setPlan(db, person, 'basic', inDays(20))
  t.same([await planIn(0), await planIn(11), await planIn(21)], ['free', 'premium', 'basic'])
  t.equal((await usageOf(db, person)).status.plan_type, 'free')

  await setPlan(db, person, 'enterprise', inDays(15))
  t.same(await periodsOf(db, person), [
    { plan_type: 'premium', is_open: false, in_days: 10 },
    { plan_type: 'enterprise', is_open: true, in_days: 15 },
  ])
  await setPlan(db, person, 'basic')
  t.same(await periodsOf(db, person), [{ plan_type: 'basic', is_open: true, in_days: 0 }])
  await setPlan(db, person, 'free', inDays(3))
  await setPlan(db, person, 'basic')
  t.same(await periodsOf(db, person), [{ plan_type: 'basic', is_open: true, in_days: 0 }], 'a downgrade called off')
  t.equal(await refusal(setPlan(db, person, 'free', sql`now() - interval '1 second'`)), '22023')
  t.equal(await refusal(serve(db, sql`select public.set_account_plan(${randomUUID()}, 'free')`)), 'P0002')
})

test('a downgrade waits for the end of the month of the account, if it is asked to', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [operator, person] = [await signUp(db), await signUp(db)]
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  const change = (by: Account, when: 'now' | 'next_cycle', planType: 'premium' | 'free') =>
    asActor(db, by.actor, (tx) => schedulePlanChange(tx, { accountId: person.accountId, planType, when }))
  t.equal((await change(operator, 'now', 'premium')).planType, 'premium')
  const later = await change(operator, 'next_cycle', 'free')
  const { current_period: period, status } = await usageOf(db, person)
  t.equal(later.effectiveFrom.toISOString(), new Date(period.resets_at).toISOString())
  t.equal(status.plan_type, 'premium')

  t.equal(await refusal(change(person, 'now', 'premium')), '42501', 'nobody gives themselves a plan')
  const odd = sql`select public.schedule_plan_change(${person.accountId}, 'free', 'yesterday')`
  t.equal(await refusal(ask(db, operator.actor, odd)), '22023')
  const written = await owner`
    select new_values ->> 'plan_type' as plan from audit_log
    where table_name = 'account_subscriptions' and operation = 'INSERT' and changed_by = ${operator.accountId}
    order by changed_at`
  t.same([...written], [{ plan: 'premium' }, { plan: 'free' }])
})

test('more is allowed at once; after a downgrade the truth is told and nothing is lost or locked', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person, { pages: 100 })
  t.equal(await refusal(upload(db, person)), 'EX402')
  await setPlan(db, person, 'basic')
  await upload(db, person, { pages: 400 })
  t.match(await usageOf(db, person), {
    usage: { shell_files: { used: 2, limit: 100 }, pages: { used: 500, limit: 1000, percentage: 50 } },
    status: { plan_type: 'basic', over_limit: false, upgrade_required: false },
  })

  await setPlan(db, person, 'free')
  t.match(await usageOf(db, person), {
    usage: { pages: { used: 500, limit: 100, percentage: 500 } },
    status: { plan_type: 'free', over_limit: true, upgrade_required: true },
  })
  t.equal(await refusal(upload(db, person)), 'EX402')
  const read = await ask(db, person.actor, sql`select id from shell_files`)
  t.equal(read.length, 2, 'what is there stays readable')
  await ask(db, person.actor, sql`select public.delete_shell_file(${id})`)
  t.equal(await askOne(db, person.actor, sql`select public.restore_shell_file(${id}) as value`), true)
})

test('what plan an account had is never rewritten, and periods neither overlap nor leave a gap', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await setPlan(db, person, 'basic')
  await setPlan(db, person, 'premium')
  const attempts = [
    `update account_subscriptions set plan_type = 'enterprise'`,
    `update account_subscriptions set effective_from = effective_from - interval '1 year'`,
    `update account_subscriptions set effective_to = null`,
    `update account_subscriptions set effective_to = now() - interval '1 day' where effective_to is null`,
  ]
  for (const attempt of attempts) t.equal(await refusal(owner.unsafe(attempt)), '42501', attempt)
  for (const attempt of [...attempts, 'delete from account_subscriptions'])
    t.equal(await refusal(serve(db, sql.raw(attempt))), '42501', `service: ${attempt}`)

  const insert = (from: string, to: string | null) =>
    owner`insert into account_subscriptions (account_id, plan_type, effective_from, effective_to)
          values (${person.accountId}, 'free', ${from}, ${to})`
  t.equal(await refusal(insert('2001-01-01', '2001-02-01')), '23514', 'a gap')
  const overlap = owner.begin(async (tx) => {
    await tx`update account_subscriptions set effective_to = now() + interval '2 days' where effective_to is null`
    await tx`insert into account_subscriptions (account_id, plan_type, effective_from)
             values (${person.accountId}, 'free', now() + interval '1 day')`
  })
  t.equal(await refusal(overlap), '23514', 'an overlap')
})

test('many changes at the same moment leave one unbroken line of periods', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const wide = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 12 })
  t.teardown(() => wide.close())
  const person = await signUp(db)
  const plans = ['free', 'basic', 'premium', 'enterprise']
  const states = await Promise.all(
    Array.from({ length: 40 }, (_, turn) =>
      refusal(
        setPlan(wide, person, plans[turn % 4] ?? 'free', turn % 5 === 0 ? sql`now() + interval '40 days'` : sql`now()`),
      ),
    ),
  )
  t.ok(states.every((state) => state === 'allowed'))
  const [line] = await ownerSql(t, ownerUrl)`
    select count(*) filter (where effective_to is null)::int as open,
      count(*) filter (where effective_from <= now() and (effective_to is null or effective_to > now()))::int as holding
    from account_subscriptions`
  t.same(line, { open: 1, holding: 1 })
})
