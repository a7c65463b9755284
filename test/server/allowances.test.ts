import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { askAsService } from '../../db/actor.ts'
import { takeRequestAllowances } from '../../db/queries/request-limits.ts'
import { wait } from '../../platform/wait.ts'
import { systemClock } from '../../platform/clock.ts'
import { createAllowances } from '../../server/plugins/request-limits/allowances.ts'
import type { Allowances, TakeAllowances } from '../../server/plugins/request-limits/allowances.ts'
import { decideAlone, newAllowance, wantFor } from '../../server/plugins/request-limits/held-allowance.ts'
import { ownerSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'

const uploads = { name: 'uploads', perMinute: 1_200 }

test('the limits ask the database seldom, and hardly any request waits for it', async (t) => {
  const { db } = await testDatabase(t)
  let statements = 0
  const allowances = start(t, async (wanted) => {
    statements += 1
    return await askAsService(db, (sql) => takeRequestAllowances(sql, wanted))
  })
  const take = (person: number) => allowances.take(uploads, `uploads ${person}`)

  t.equal((await take(0)).kind, 'granted')
  t.equal(statements, 0, 'one upload asks nothing before it begins')
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => take(n % 200)))
  t.ok(statements <= 3, `a thousand uploads of two hundred people: ${statements} statements`)
  for (let n = 0; n < 1_000; n += 1) await take(300)
  t.ok(statements <= 60, `a thousand of one person, one after the other: ${statements} statements in all`)
})

test('what was taken and cost nothing is there again, also for other servers', async (t) => {
  const { db } = await testDatabase(t)
  const server = () => start(t, (wanted) => askAsService(db, (sql) => takeRequestAllowances(sql, wanted)))
  const [first, second] = [server(), server()]
  const tries = { name: 'signIn', perMinute: 2 }
  for (let n = 0; n < 10; n += 1) {
    t.equal((await first.take(tries, 'house')).kind, 'granted')
    first.giveBack('house')
  }
  await first.take(tries, 'house')
  t.equal((await second.take(tries, 'house')).kind, 'granted')
  t.equal((await first.take(tries, 'house')).kind, 'refused')
  t.equal((await second.take(tries, 'house')).kind, 'refused')
})

test('what cost nothing is no reserve for later', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const told: number[] = []
  const allowances = start(t, async (wanted) => {
    const answers = await askAsService(db, (sql) => takeRequestAllowances(sql, wanted))
    told.push(...wanted.map(({ spent }) => spent).filter((spent) => spent < 0))
    return answers
  })
  const tries = { name: 'signIn', perMinute: 3 }
  const take = async () => (await allowances.take(tries, 'house')).kind
  for (let n = 0; n < 3; n += 1) await take()
  for (let n = 0; n < 3; n += 1) allowances.giveBack('house')
  for (let n = 0; n < 200 && told.length === 0; n += 1) {
    await take()
    allowances.giveBack('house')
    await wait(5)
  }
  // The last one is booked as well, a tenth of a second later.
  for (let quiet = 0, seen = told.length; quiet < 60; quiet = told.length === seen ? quiet + 1 : 0) {
    seen = told.length
    await wait(5)
  }
  await ownerSql(t, ownerUrl)`update request_allowances set full_at = now()`
  const burst = []
  for (let n = 0; n < 5; n += 1) burst.push(await take())
  t.same(burst, ['granted', 'granted', 'granted', 'refused', 'refused'], 'a minute later there is one budget, not two')
})

test('who was busy while the database was away owes only what is not yet filled up again', (t) => {
  const held = newAllowance({ name: 'account', perMinute: 60 }, 'somebody', 0)
  let now = 0
  for (let n = 0; n < 1_800; n += 1) {
    now += 2_000
    if (decideAlone(held, now).kind === 'refused') t.fail('half of the budget is always within it')
  }
  t.ok(wantFor(held, now).spent <= 2, 'an hour of it is not held against them')

  const greedy = newAllowance({ name: 'account', perMinute: 60 }, 'somebody else', 0)
  const answers = Array.from({ length: 200 }, () => decideAlone(greedy, 10).kind)
  t.equal(answers.filter((kind) => kind === 'granted').length, 60)
  t.equal(wantFor(greedy, 10).spent, 60)
  t.end()
})

test('callers without end are not remembered without end', async (t) => {
  const asked: string[] = []
  const allowances = start(t, async (wanted) => {
    await setImmediate()
    asked.push(...wanted.map(({ caller }) => caller))
    return wanted.map(({ caller }) => ({ caller, granted: 0, available: 0, retryAfterMs: 60_000 }))
  })
  const tries = { name: 'signIn', perMinute: 10 }
  const isAsked = async () => {
    asked.length = 0
    t.equal((await allowances.take(tries, 'first')).kind, 'refused')
    return asked.includes('first')
  }
  t.ok(await isAsked())
  t.notOk(await isAsked(), 'a refusal is remembered')
  for (let n = 0; n < 50_000; n += 1) await allowances.take(uploads, `invented ${n}`)
  t.ok(await isAsked(), 'until too many others came')
})

test('a server ends while its database does not answer', async (t) => {
  const allowances = createAllowances(
    () => new Promise(() => {}),
    systemClock,
    () => {},
    10,
  )
  const tries = { name: 'signIn', perMinute: 1 }
  t.equal((await allowances.take(tries, 'somebody')).kind, 'granted', 'having waited a moment')
  t.equal((await allowances.take(tries, 'somebody')).kind, 'refused', 'and then not at all')
  await allowances.stop()
})

function start(t: Teardown, take: TakeAllowances): Allowances {
  const allowances = createAllowances(
    take,
    systemClock,
    (error) => {
      throw error
    },
    60_000,
  )
  t.teardown(() => allowances.stop())
  return allowances
}
