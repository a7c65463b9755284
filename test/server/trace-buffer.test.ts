import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import Fastify from 'fastify'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { recordReads } from '../../db/queries/read-traces.ts'
import type { ReadTrace } from '../../db/queries/read-traces.ts'
import { createLog } from '../../platform/log.ts'
import { addProblems } from '../../server/plugins/problems.ts'
import { addReadTraces } from '../../server/plugins/read-traces.ts'
import { auditUnavailable, createTraceBuffer } from '../../server/plugins/trace-buffer.ts'
import type { WriteTraces } from '../../server/plugins/trace-buffer.ts'
import { ownerSql, signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

const log = createLog({ level: 'silent', service: 'test' })
const somebody = randomUUID()
const traceOf = (fields: Partial<ReadTrace> = {}): ReadTrace => ({
  trace_id: randomUUID(),
  read_at: new Date().toISOString(),
  account_id: somebody,
  patient_id: somebody,
  view: 'document',
  record_id: randomUUID(),
  basis: 'owner',
  grant_id: somebody,
  correlation_id: randomUUID(),
  client_address: null,
  count: 1,
  ...fields,
})

/** A log that takes batches when it is told to. */
function slowLog() {
  const written: ReadTrace[][] = []
  const turns: PromiseWithResolvers<void>[] = []
  const write: WriteTraces = async (traces) => {
    const turn = Promise.withResolvers<void>()
    turns.push(turn)
    await turn.promise
    written.push([...traces])
  }
  return { write, written, take: () => turns.shift()?.resolve(), asked: () => turns.length }
}

test('equal reads within a moment are one trace that counts them', async (t) => {
  const written: ReadTrace[] = []
  const write: WriteTraces = async (traces) => void written.push(...traces)
  const buffer = createTraceBuffer(write, log)
  const first = traceOf({ record_id: 'a' })
  const others = [
    traceOf({ record_id: 'b' }),
    traceOf({ record_id: 'a', view: 'document_text' }),
    traceOf({ record_id: 'a', grant_id: randomUUID() }),
    traceOf({ record_id: 'a', client_address: '192.0.2.1' }),
    traceOf({ record_id: 'a', account_id: randomUUID() }),
  ]
  for (const trace of [first, ...others, traceOf({ record_id: 'a' }), traceOf({ record_id: 'a' })])
    await buffer.record(trace)
  t.equal(buffer.waiting(), 6)
  await buffer.stop()
  t.same(written, [{ ...first, count: 3 }, ...others])
})

test('a whole batch is written at once, and one batch at a time', async (t) => {
  const { write, written, take, asked } = slowLog()
  const buffer = createTraceBuffer(write, log, { batch: 3, flushMs: 60_000 })
  for (let n = 0; n < 7; n += 1) await buffer.record(traceOf())
  t.equal(asked(), 1)
  t.equal(buffer.waiting(), 7, 'what is being written still waits')
  const stopped = buffer.stop()
  for (const batch of [1, 2, 3]) {
    t.equal(asked(), 1)
    take()
    while (written.length < batch) await nextTurn()
    await nextTurn()
  }
  await stopped
  t.same(
    written.map((batch) => batch.length),
    [3, 3, 1],
  )
})

test('readers wait while there is no room, and go on when the log has taken a batch', async (t) => {
  const { write, take } = slowLog()
  const buffer = createTraceBuffer(write, log, { batch: 2, max: 2, waitMs: 60_000 })
  const known = traceOf()
  await buffer.record(traceOf())
  await buffer.record(known)
  let isRecorded = false
  const waiting = buffer.record(traceOf()).finally(() => {
    isRecorded = true
  })
  await nextTurn()
  t.notOk(isRecorded)
  take()
  await waiting
  t.equal(buffer.waiting(), 1)
  const stopped = buffer.stop()
  take()
  await stopped
})

test('readers are refused while the log takes nothing and there is no room', async (t) => {
  let isTaking = false
  const written: ReadTrace[] = []
  const write: WriteTraces = async (traces) => {
    if (!isTaking) throw new Error('no room on the disk')
    written.push(...traces)
  }
  const buffer = createTraceBuffer(write, log, { max: 2, batch: 2, flushMs: 60_000, waitMs: 60_000 })
  const kept = [traceOf(), traceOf()]
  for (const trace of kept) await buffer.record(trace)
  for (let n = 0; n < 3; n += 1)
    await t.rejects(buffer.record(traceOf()), { code: 'audit_unavailable', status: 503, retryAfterMs: 1000 })
  t.equal(buffer.waiting(), 2, 'and nothing that was taken is given up')

  isTaking = true
  const later = traceOf()
  await buffer.record(later)
  await buffer.stop()
  t.same(written, [...kept, later])

  const { write: never } = slowLog()
  const stuck = createTraceBuffer(never, log, { max: 1, batch: 1, waitMs: 5 })
  await stuck.record(traceOf())
  await t.rejects(stuck.record(traceOf()), { code: 'audit_unavailable' }, 'nor do they wait for ever')
})

test('a stop that cannot write says so, and what comes after a stop is written before it is shown', async (t) => {
  let refusals = 0
  const written: ReadTrace[] = []
  const write: WriteTraces = async (traces) => {
    if (refusals-- > 0) throw new Error('gone')
    written.push(...traces)
  }
  const limits = { flushMs: 2, lastAttempts: 3 }
  const buffer = createTraceBuffer(write, log, limits)
  const [first, second] = [traceOf(), traceOf()]
  await buffer.record(first)
  refusals = 2
  await buffer.stop()
  t.same(written, [first], 'a log that comes back in time is written to')
  await buffer.record(second)
  t.same(written, [first, second])

  refusals = 1000
  const unlucky = createTraceBuffer(write, log, limits)
  await unlucky.record(traceOf())
  await t.rejects(unlucky.stop(), { code: 'audit_unavailable' })
  await t.rejects(unlucky.record(traceOf()), { code: 'audit_unavailable' })
})

test('a batch whose answer was lost is in the log once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  let answers = 0
  const buffer = createTraceBuffer(
    async (traces) => {
      await asService(db, {}, (tx) => recordReads(tx, traces))
      answers += 1
      if (answers === 1) throw new Error('the connection broke after the commit')
    },
    log,
    { flushMs: 2 },
  )
  const about = { account_id: person.accountId, patient_id: person.profileId }
  const [first, second] = [traceOf(about), traceOf({ ...about, record_id: 'again' })]
  await buffer.record(first)
  await buffer.record(second)
  await buffer.stop()
  t.equal(answers, 2)
  const rows = await ownerSql(t, ownerUrl)`select id from audit_log where operation = 'SELECT' order by id`
  t.same(
    rows.map((row) => String(row['id'])),
    [first.trace_id, second.trace_id].toSorted(),
  )
})

test('an answer whose trace finds no place is a problem, not an answer', async (t) => {
  const app = Fastify()
  addProblems(app)
  addReadTraces(app, {
    record: () => Promise.reject(auditUnavailable({ retryAfterMs: 1_000 })),
    stop: async () => {},
    waiting: () => 0,
  })
  const stream = new Readable({ read: () => {} })
  app.get('/words', (request) => {
    request.readTrace = traceOf()
    return { words: 'secret' }
  })
  app.get('/file', async (request, reply) => {
    request.readTrace = traceOf()
    return await reply.header('content-length', '7').type('application/pdf').send(stream)
  })
  app.get('/health', () => ({ status: 'ok' }))
  t.teardown(() => app.close())
  for (const path of ['/words', '/file']) {
    const answer = await app.inject(path)
    t.equal(answer.statusCode, 503, path)
    t.equal(answer.headers['retry-after'], '1')
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.match(answer.json(), { code: 'audit_unavailable' })
    t.notOk(answer.body.includes('secret'))
  }
  t.ok(stream.destroyed, 'the file is let go of')
  t.equal((await app.inject('/health')).statusCode, 200, 'what shows nobody’s record needs no trace')
})

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
