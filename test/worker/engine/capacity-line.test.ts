import { test } from 'tap'
import { createCapacityLine } from '../../../worker/engine/capacity-line.ts'

const never = new AbortController().signal

test('callers of one process ask one after the other, in the order they came', async (t) => {
  const line = createCapacityLine(() => {})
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const asking = [
    line.inTurn(async () => {
      order.push('first asks')
      await first.promise
      order.push('first was answered')
    }),
    line.inTurn(async () => void order.push('second asks')),
  ]
  await Promise.resolve()
  first.resolve()
  await Promise.all(asking)
  t.same(order, ['first asks', 'first was answered', 'second asks'])
})

test('who is put off makes the process take on less, who finds room makes it take on more', (t) => {
  let changes = 0
  const line = createCapacityLine(() => (changes += 1))
  t.equal(line.usefulJobs, Number.POSITIVE_INFINITY)
  const leaving = ['a', 'b', 'c'].map((job) => line.enter(job))
  line.putOff(3_000)
  t.equal(line.usefulJobs, 2, 'one less than called')
  for (const leave of leaving) leave()
  line.putOff(3_000)
  t.equal(line.usefulJobs, 1, 'one always notices when room returns')
  line.granted()
  t.equal(line.usefulJobs, 2)
  line.forget()
  t.equal(line.usefulJobs, Number.POSITIVE_INFINITY)
  t.equal(changes, 4)
  t.end()
})

test('while an endpoint is closed one job looks, and all go on when it opens', (t) => {
  const line = createCapacityLine(() => {})
  const leaving = ['a', 'b', 'c', 'd'].map((job) => line.enter(job))
  line.putOff(3_000)
  line.putOff(50_000)
  line.putOff(40_000)
  t.equal(line.usefulJobs, 1)
  line.granted()
  t.equal(line.usefulJobs, 3, 'as many as made sense before')
  for (const leave of leaving) leave()
  t.end()
})

test('who waits for a call to end is woken by one that was given back', async (t) => {
  const line = createCapacityLine(() => {})
  const woken = line.untilRoom(600_000, never, 'giving_back')
  const stopped = new AbortController()
  const sleeping = line.untilRoom(600_000, stopped.signal, 'time')
  line.gaveBack()
  await woken
  stopped.abort(new Error('the worker stops'))
  await t.rejects(sleeping, { message: 'the worker stops' }, 'not who waits for the minute to pass')
})

test('who comes just after others were put off does not ask at once', async (t) => {
  const line = createCapacityLine(() => {})
  const early = performance.now()
  line.putOff(400_000)
  await line.untilWorthAsking(early, never)
  const late = line.untilWorthAsking(performance.now() + 1, never)
  line.forget()
  await late
  t.pass('those who were in line before ask, and news ends the waiting')
})
