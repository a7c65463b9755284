import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { sql as query } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { asActor } from '../../db/actor.ts'
import { readCommandLine } from '../../scripts/queue/command-line.ts'
import { answerTo } from '../../scripts/queue/run.ts'
import { age, table, left, right } from '../../scripts/queue/table.ts'
import { signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { buryJob, claim, enqueueJob, jobRecord, serviceSql } from '../support/queue.ts'

/** A command as an operator gives it, without its process. */
const queueOf =
  (sql: postgres.Sql) =>
  async (
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly json: string }> => {
    const asked = readCommandLine(args)
    if (asked.kind !== 'run') throw new Error(`not a command: ${args.join(' ')}`)
    const { lines, json, exitCode } = await answerTo(asked.command, { sql, correlationId: `queue-${randomUUID()}` })
    return { code: exitCode, out: lines.join('\n'), json: JSON.stringify(json) }
  }

const exported = () => ({ type: 'export_record', payload: { export_id: randomUUID() } })

const register = (sql: postgres.Sql, id: string, lanes: readonly string[]) =>
  sql`select public.register_worker(${id}, 'ward-3', 4711, string_to_array(${lanes.join()}, ','), 8, '1.2.3')`

const statsJson = z.object({ lanes: z.array(z.record(z.string(), z.unknown())) })
const laneOf = (json: string, name: string) =>
  statsJson.parse(JSON.parse(json)).lanes.find((lane) => lane['job_lane'] === name)

test('an operator sees lane by lane what waits, runs and has died, and who serves it', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  await buryJob(sql)
  await enqueueJob(sql)
  await claim(sql, 'w1')
  await enqueueJob(sql)
  await sql`update public.job_queue set scheduled_at = now() - interval '3 minutes', retry_count = 1 where status = 'pending'`
  await enqueueJob(sql, { scheduledAt: new Date(Date.now() + 3_600_000) })
  const finished = await enqueueJob(sql, { type: 'pass1_find' })
  await claim(sql, 'w1', { lanes: ['ai_queue'] })
  await sql`select public.complete_job(${finished}, 'w1')`
  await register(sql, 'w1', ['fast_queue', 'ai_queue'])

  const { code, out } = await queue('stats')
  t.equal(code, 0)
  const [head = '', ...lines] = out.split('\n')
  t.match(
    head,
    /^lane +pending +due +scheduled +retrying +running +dead +oldest due +done 5 min +done 1 h +workers +state$/,
  )
  t.match(lines[0], /^fast_queue +2 +1 +1 +1 +1 +1 +3 min( \d s)? +0 +0 +1 +open$/)
  t.match(lines[1], /^ai_queue +0 +0 +0 +0 +0 +0 +– +1 +1 +1 +open$/)
  t.match(out, /^! nobody serves background: WORKER_LANES=background npm run worker$/m)
  t.match(out, /^! 1 dead letter: npm run queue -- dead-letters$/m)

  const { json } = await queue('stats')
  t.match(laneOf(json, 'fast_queue'), {
    pending: 2,
    due: 1,
    scheduled: 1,
    retrying: 1,
    running: 1,
    dead: 1,
    workers: 1,
  })
  t.match(laneOf(json, 'ai_queue'), { done_in_5_minutes: 1, done_in_hour: 1, oldest_due_seconds: null })
  t.match(laneOf(json, 'background'), { workers: 0, is_paused: false })
})

test('an operator sees which workers are there, and which have fallen silent', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  t.match(await queue('workers'), { code: 1, out: /^No worker is there/ })
  await register(sql, 'alive-1', ['fast_queue', 'ai_queue'])
  await register(sql, 'gone-1', ['background'])
  await sql`update public.workers set last_seen_at = now() - interval '5 minutes', running = 3 where id = 'gone-1'`

  const { code, out } = await queue('workers')
  t.equal(code, 0)
  t.match(out, /^alive-1 +ward-3 +4711 +fast_queue, ai_queue +0\/8 .* 1\.2\.3 +alive$/m)
  t.match(out, /^gone-1 +ward-3 +4711 +background +3\/8 +5 min .* silent$/m)
  t.match(out, /^! 1 worker fell silent/m)
  t.match(JSON.parse((await queue('workers')).json), {
    workers: [
      { worker_id: 'alive-1', is_silent: false, is_stopping: false, job_lanes: ['fast_queue', 'ai_queue'] },
      { worker_id: 'gone-1', is_silent: true, running: 3, concurrency: 8 },
    ],
  })
})

test('dead letters are counted by kind and listed newest first, with what an operator needs and nothing of a patient', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  t.match(await queue('dead-letters'), { code: 1, out: 'No dead letters.' })
  const { profileId } = await signUp(db)
  const first = await buryJob(sql, { patientId: profileId })
  const second = await buryJob(sql)
  const archive = await buryJob(sql, { ...exported(), code: 'storage_refused' })
  await sql`update public.job_queue set dead_letter_at = now() - interval '2 days' where id = ${first}`

  const { code, out } = await queue('dead-letters')
  t.equal(code, 0)
  t.match(out, /^ocr +page_unreadable +2 +2 d +(now|\d+ s)$/m)
  t.match(
    out,
    new RegExp(`^${archive} +export_record +background +storage_refused +1 +0 +(now|\\d+ s)  A page could`, 'm'),
  )
  t.ok(out.indexOf(archive) < out.indexOf(second) && out.indexOf(second) < out.indexOf(first), 'newest first')
  t.match(out, /npm run queue -- retry --all --type ocr --code page_unreadable$/m)
  t.notMatch(out, profileId)

  const few = JSON.parse((await queue('dead-letters', '--type', 'ocr', '--limit', '1')).json)
  t.match(few, { total: 2, counts: [{ dead: 2 }], dead_letters: [{ job_id: second, attempts: 1, replays: 0 }] })
  t.equal(few.dead_letters.length, 1)
  t.match((await queue('dead-letters', '--code', 'page_unreadable', '--limit', '1')).out, /^… and 1 older ones/m)
  t.equal((await queue('dead-letters', '--code', 'none')).code, 1)
})

test('dead letters are retried by id, and each that was not says why', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  const { profileId, actor } = await signUp(db)
  const dead = await buryJob(sql)
  const stopped = await buryJob(sql, { patientId: profileId })
  const waiting = await enqueueJob(sql)
  const unknown = randomUUID()
  await asActor(db, actor, (tx) => tx.execute(query`select public.restrict_processing(${profileId})`))
  t.match(await queue('retry', dead), { code: 0, out: new RegExp(`^${dead}  requeued$`, 'm') })
  t.match(await jobRecord(sql, dead), { status: 'pending', retry_count: 0, replay_count: 1 })
  const mixed = await queue('retry', dead, waiting, unknown, stopped)
  t.equal(mixed.code, 1)
  t.same(JSON.parse(mixed.json), {
    done: 0,
    jobs: [
      { job_id: dead, outcome: 'left as it is: pending' },
      { job_id: waiting, outcome: 'left as it is: pending' },
      { job_id: unknown, outcome: 'not found' },
      { job_id: stopped, outcome: 'left as it is: processing is stopped for its patient' },
    ],
  })
  const errors = await sql`select error_code from public.processing_errors where job_id = ${dead}`
  t.same([...errors], [{ error_code: 'page_unreadable' }], 'what is known of earlier attempts stays')
})

test('dead letters of a kind are retried together, and no others', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  for (let n = 0; n < 3; n += 1) await buryJob(sql)
  const other = await buryJob(sql, { code: 'storage_refused' })
  const archive = await buryJob(sql, exported())
  const done = await queue('retry', '--all', '--type', 'ocr', '--code', 'page_unreadable')
  t.match(done, { code: 0, out: /^3 dead letters requeued/ })
  for (const id of [other, archive]) t.equal((await jobRecord(sql, id)).status, 'dead_letter')
  t.match(await queue('retry', '--all', '--code', 'none'), { code: 1, json: '{"requeued":0,"left":0}' })
  t.same(JSON.parse((await queue('retry', '--all', '--all')).json), { requeued: 2, left: 0 })
})

test('jobs are cancelled by id', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  const running = await enqueueJob(sql)
  await claim(sql, 'w1')
  const waiting = await enqueueJob(sql)
  t.match(await queue('cancel', running, waiting), { code: 0, out: new RegExp(`^${running}  cancelled$`, 'm') })
  for (const id of [running, waiting]) t.equal((await jobRecord(sql, id)).status, 'cancelled')
  const again = await queue('cancel', running.toUpperCase())
  t.match(again, { code: 1, out: /left as it is: cancelled/ })
  const audited = await sql`
    select distinct correlation_id from public.audit_log where reason = 'cancelled by an operator'`
  t.equal(audited.length, 1, 'all that one command did is found together')
  t.match(audited[0]?.['correlation_id'], /^queue-/)
})

test('a lane is paused and goes on', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const queue = queueOf(sql)
  await enqueueJob(sql)
  t.match(await queue('pause', 'fast_queue', '--reason', 'scanner is mended'), { code: 0, out: /resume fast_queue$/ })
  t.same(await claim(sql), [])
  t.match(await queue('pause', 'fast_queue'), { code: 1, out: /was paused already/ })
  const { out } = await queue('stats')
  t.match(out, /^fast_queue .* paused (now|\d+ s)$/m)
  t.match(out, /^! fast_queue is paused \(scanner is mended\); to go on: npm run queue -- resume fast_queue$/m)
  t.match(laneOf((await queue('stats')).json, 'fast_queue'), {
    is_paused: true,
    pause_reason: 'scanner is mended',
  })
  t.match(await queue('resume', 'fast_queue'), { code: 0, json: /"changed":true,"is_paused":false/ })
  t.equal((await claim(sql)).length, 1)
  t.match(await queue('resume', 'fast_queue'), { code: 1, out: 'fast_queue was not paused.' })
})

test('every command explains itself, and says what was wrong with how it was asked', (t) => {
  for (const name of ['stats', 'workers', 'dead-letters', 'retry', 'cancel', 'pause', 'resume'])
    t.match(readCommandLine([name, '--help']), { kind: 'help', text: new RegExp(`^npm run queue -- ${name}`) }, name)
  t.match(readCommandLine(['--help']), { kind: 'help', text: /^npm run queue -- stats/ })
  const wrong: [string[], RegExp][] = [
    [[], /^Which command/],
    [['drain'], /^No such command: drain/],
    [['stats', 'now'], /^What is this for: now/],
    [['stats', '--fast'], /Unknown option '--fast'/],
    [['retry'], /^Which jobs/],
    [['retry', '17'], /^Not the id of a job: 17/],
    [['retry', randomUUID(), '--type', 'ocr'], /--type and --code go with --all/],
    [['retry', '--all'], /Say which \(--type, --code\), or --all twice/],
    [['retry', '--all', '--type', 'ocrr'], /^No such job type: ocrr\. There are security_scan, ocr/],
    [['dead-letters', '--limit', '0'], /--limit is a number from 1 to 1000/],
    [['pause', 'fast'], /^No such lane: fast\. There are fast_queue, ai_queue, background\./],
    [['pause', 'fast_queue', '--reason', 'x'.repeat(201)], /up to 200 characters/],
    [['resume', 'fast_queue', 'ai_queue'], /^What is this for: ai_queue/],
  ]
  for (const [args, problem] of wrong) t.match(readCommandLine(args), { kind: 'wrong', problem }, args.join(' '))
  t.end()
})

test('ages are said as people say them, and columns stand under their heads', (t) => {
  const said = [null, 0.2, 12, 61, 3_600, 7_500, 36_000, 100_000, 1_000_000].map(age)
  t.same(said, ['–', 'now', '12 s', '1 min 1 s', '1 h', '2 h 5 min', '10 h', '1 d 3 h', '11 d'])
  t.same(
    table(
      [left('lane'), right('jobs'), left('state')],
      [
        ['a', '1,000', 'open'],
        ['long', '2', { text: 'x', style: 'red' }],
      ],
    ),
    ['lane   jobs  state', 'a     1,000  open', 'long      2  x'],
  )
  t.end()
})
