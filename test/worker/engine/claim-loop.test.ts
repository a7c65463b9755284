import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { Attempt } from '../../../worker/engine/attempt.ts'
import { createClaimLoop } from '../../../worker/engine/claim-loop.ts'
import { createPool } from '../../../worker/engine/pool.ts'
import { claimedJob } from '../../support/claimed-job.ts'
import { createWatchedLog } from '../../support/worker.ts'

/** A loop over a queue in memory: what it asked for, and a hand on each claim and each job. */
function startLoop(t: { teardown(work: () => unknown): unknown }, options: { size: number; waiting?: number }) {
  const asked: number[] = []
  let waiting = options.waiting ?? 0
  let failing = false
  let onAsked: (() => void) | undefined
  const ends: (() => void)[] = []
  const { log } = createWatchedLog()
  const pool = createPool({
    size: options.size,
    work: () => new Promise<void>((resolve) => ends.push(resolve)),
    onFreed: () => loop.wake('slot'),
  })
  const loop = createClaimLoop({
    room: () => pool.size - pool.running,
    log,
    pollMs: () => null,
    claim: async (max) => {
      asked.push(max)
      onAsked?.()
      // An answer never comes in the same turn of the event loop.
      await setImmediate()
      if (failing) throw new Error('the database is away')
      const found = Math.min(max, waiting)
      waiting -= found
      return Array.from({ length: found }, () => claimedJob())
    },
    begin: (jobs) => pool.begin(jobs.map((found) => new Attempt(found))),
    onClaim: () => {},
  })
  t.teardown(() => loop.stop())
  loop.start()
  return {
    asked,
    loop,
    pool,
    add: (count: number) => {
      waiting += count
    },
    fail: () => {
      failing = true
    },
    endOne: () => ends.shift()?.(),
    whenAsked: () =>
      new Promise<void>((resolve) => {
        onAsked = resolve
      }),
  }
}

/** Until everything that was about to happen has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate()
}

test('thousands of notifications while all slots are taken cost nothing, and one claim when a slot is freed', async (t) => {
  const { loop, pool, asked, add, endOne } = startLoop(t, { size: 2, waiting: 2 })
  await settled()
  t.equal(pool.running, 2)
  const before = asked.length
  add(1)
  for (let n = 0; n < 5_000; n += 1) loop.wake('notification')
  await settled()
  t.equal(asked.length, before)
  endOne()
  await settled()
  t.same(asked.slice(before), [1])
})

test('notifications during a claim lead to one more claim', async (t) => {
  const { loop, asked, whenAsked } = startLoop(t, { size: 4 })
  await whenAsked()
  for (let n = 0; n < 1_000; n += 1) loop.wake('notification')
  await settled()
  t.same(asked, [4, 4])
})

test('a claim asks for as many jobs as there are free slots', async (t) => {
  const { loop, asked, add, endOne } = startLoop(t, { size: 3, waiting: 3 })
  await settled()
  add(5)
  loop.wake('notification')
  endOne()
  endOne()
  await settled()
  t.same(asked, [3, 2])
})

test('a freed slot asks nothing when the queue was found empty and nothing was heard since', async (t) => {
  const { asked, endOne } = startLoop(t, { size: 3, waiting: 2 })
  await settled()
  endOne()
  endOne()
  await settled()
  t.same(asked, [3])
})

test('while the database is away notifications do not hammer it', async (t) => {
  const { loop, asked, fail } = startLoop(t, { size: 3 })
  await settled()
  fail()
  const before = asked.length
  for (let n = 0; n < 1_000; n += 1) {
    loop.wake('notification')
    if (n % 100 === 0) await settled()
  }
  t.equal(asked.length, before + 1)
})
