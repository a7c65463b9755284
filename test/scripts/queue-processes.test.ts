import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { z } from 'zod'
import { childEnv } from '../support/child-env.ts'
import { testDatabase } from '../support/postgres.ts'
import { buryJob, enqueueJob, jobRecord, serviceSql } from '../support/queue.ts'

const script = fileURLToPath(new URL('../../scripts/queue.ts', import.meta.url))

type Run = { readonly code: number; readonly out: string; readonly err: string }

/** The command as an operator gives it, in a process of its own. */
const command = (url: string, ...args: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    const env = { ...childEnv, DATABASE_URL: url }
    execFile(process.execPath, [script, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })

const statsJson = z.object({ lanes: z.array(z.record(z.string(), z.unknown())) })

test('watching shows it again and again until Ctrl-C, and ends well', async (t) => {
  const { appUrl } = await testDatabase(t)
  const env = { ...childEnv, DATABASE_URL: appUrl }
  const child = spawn(process.execPath, [script, 'stats', '--watch', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  for (const time of ['first', 'second']) {
    const line = await lines.next()
    t.equal(statsJson.parse(JSON.parse(String(line.value))).lanes.length, 3, time)
  }
  child.kill('SIGINT')
  t.same(await exited, [0, null])
})

test('the commands do the same as processes, in words or in JSON', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const dead = await buryJob(sql)
  const waiting = await enqueueJob(sql)
  const [stats, workers, listed, paused] = await Promise.all([
    command(appUrl, 'stats'),
    command(appUrl, 'workers', '--json'),
    command(appUrl, 'dead-letters', '--json'),
    command(appUrl, 'pause', 'ai_queue'),
  ])
  t.match(stats, { code: 0, out: /^lane +pending.*\nfast_queue +1 +1 /, err: '' })
  t.notOk(stats.out.includes('\u001b'), 'no colours where there is no terminal')
  t.same(workers, { code: 1, out: '{"workers":[]}\n', err: '' })
  t.match(JSON.parse(listed.out), { total: 1, dead_letters: [{ job_id: dead }] })
  t.match(paused, { code: 0, out: /^ai_queue is paused/, err: '' })
  const [retried, cancelled, resumed] = await Promise.all([
    command(appUrl, 'retry', dead, '--json'),
    command(appUrl, 'cancel', waiting),
    command(appUrl, 'resume', 'ai_queue', '--json'),
  ])
  t.same(JSON.parse(retried.out), { done: 1, jobs: [{ job_id: dead, outcome: 'requeued' }] })
  t.match(cancelled, { code: 0, out: new RegExp(`^${waiting}  cancelled$`, 'm'), err: '' })
  t.match(resumed, { code: 0, out: '{"lane":"ai_queue","changed":true,"is_paused":false}\n', err: '' })
  t.equal((await jobRecord(sql, dead)).status, 'pending')
  t.equal((await jobRecord(sql, waiting)).status, 'cancelled')
})

test('a database that does not answer is told in words', async (t) => {
  const answer = await command('postgres://nobody@127.0.0.1:1/none', 'stats')
  t.match(answer, { code: 1, out: '', err: /^The database does not answer/ })
})

test('what is asked wrongly is answered on standard error, help on standard output', async (t) => {
  const [asked, explained] = await Promise.all([command('', 'pause', 'fast'), command('', 'pause', '--help')])
  t.match(asked, { code: 2, out: '', err: /^No such lane: fast\..*\n\nnpm run queue -- pause <lane>/ })
  t.match(explained, { code: 0, out: /^npm run queue -- pause <lane>/, err: '' })
})
