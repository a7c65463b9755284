import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { createUploadGate } from '../../server/routes/uploads/gate.ts'
import { startApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'

test('a thousand people upload at once, and each document is taken', { timeout: 110_000 }, async (t) => {
  const server = await startApp(t, { env: { UPLOAD_MAX_ACTIVE: '64' } })
  const people = await Promise.all(Array.from({ length: 20 }, () => server.account(randomUUID())))
  const answers = await Promise.all(
    people.flatMap((person, nth) =>
      Array.from({ length: 50 }, (_, n) => person.upload({ bytes: pdf(`crowd ${nth} ${n}`) })),
    ),
  )
  t.same(
    [...Map.groupBy(answers, ({ status }) => status)].map(([status, all]) => [status, all.length]),
    [[201, 1_000]],
  )
  t.equal((await Array.fromAsync(server.store.list())).length, 1_000)
})

test('past what the machine holds, an upload is asked to come back', async (t) => {
  const gate = createUploadGate({ maxActive: 1, maxWaiting: 1 })
  const signal = new AbortController().signal
  const leave = await gate.enter(signal)
  const second = gate.enter(signal)
  await t.rejects(gate.enter(signal), { code: 'overloaded', status: 503, retryAfterMs: 5_000 })
  leave()
  leave()
  const leaveSecond = await second
  t.equal(gate.active(), 1, 'leaving twice frees one place')

  const gone = new AbortController()
  const waiting = gate.enter(gone.signal)
  gone.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
  t.equal(gate.waiting(), 0)
  leaveSecond()
  t.equal(gate.active(), 0)
})
