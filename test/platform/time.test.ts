import { test } from 'tap'
import { backoffMs } from '../../platform/backoff.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { wait } from '../../platform/wait.ts'

test('waits grow to their limit and are spread over all of it', (t) => {
  const limits = { baseMs: 2_000, maxMs: 64_000 }
  const ceilings = [1, 2, 3, 4, 5, 6, 7, 200].map((attempt) => backoffMs(attempt, limits, () => 1))
  t.same(ceilings, [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000])
  t.equal(
    backoffMs(5, limits, () => 0),
    0,
  )
  const spread = Array.from({ length: 200 }, () => backoffMs(6, limits))
  t.ok(Math.min(...spread) < 20_000 && Math.max(...spread) > 44_000)
  t.end()
})

test('ids of one process sort in the order in which they were made, even when the clock stands or goes back', (t) => {
  const atOnce = Array.from({ length: 10_000 }, () => uuidV7())
  t.same(atOnce, atOnce.toSorted())
  t.equal(new Set(atOnce).size, atOnce.length)
  const [before, after] = [uuidV7(), uuidV7(Date.now() - 60_000)]
  t.ok(before < after)
  for (const id of atOnce.slice(0, 50))
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.ok(
    Math.abs(Number.parseInt(before.replaceAll('-', '').slice(0, 12), 16) - Date.now()) < 1_000,
    'begins with the time',
  )
  t.end()
})

test('a wait ends at once with the reason of its signal', async (t) => {
  const stop = new AbortController()
  const waiting = wait(60_000, { signal: stop.signal })
  stop.abort(new Error('shutting down'))
  await t.rejects(waiting, { message: 'shutting down' })
  await t.rejects(wait(60_000, { signal: stop.signal }), { message: 'shutting down' })
})
