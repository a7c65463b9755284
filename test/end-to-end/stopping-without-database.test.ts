import t from 'tap'
import { freezeServer, hold, killHard, killServer, migratedFolder } from '../support/embedded.ts'
import type { Teardown } from '../support/postgres.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import type { LogLine, Running } from '../support/system.ts'
import { closeStages } from './gates.ts'
import { atOnceMs, endOf, parker, waitingFor } from './stopping.ts'

const drainSeconds = 2
// Of `worker/main.ts`, with what a busy machine adds.
const graceMs = drainSeconds * 1_000 + 10_000 + 3_000

t.setTimeout(280_000)

void t.test('the database is killed under a running job, and the worker is told to stop', async (test) => {
  const { dataDir, worker, server } = await halfWay(test)
  await killServer(dataDir)
  const ending = [endOf(worker, 'SIGTERM'), endOf(server, 'SIGTERM')] as const
  const [ofWorker, ofServer] = await Promise.all(ending)
  test.ok(ofWorker.ms < graceMs, `the worker: ${ofWorker.ms} ms`)
  test.same([ofWorker.code, ofWorker.signal], [1, null])
  test.ok(says(worker, 'a job could not be settled'))
  test.notOk(says(worker, forced), 'by itself')
  test.ok(ofServer.ms < graceMs, `the server: ${ofServer.ms} ms`)
  test.same([ofServer.code, ofServer.signal], [0, null])
  test.notOk(says(server, forced), 'by itself')
})

void t.test('the worker is told to stop, and the database dies meanwhile', async (test) => {
  const { dataDir, worker } = await halfWay(test)
  const ending = endOf(worker, 'SIGTERM')
  await worker.heard(isStopping)
  await killServer(dataDir)
  const { ms, code } = await ending
  test.ok(ms < graceMs, `${ms} ms`)
  test.equal(code, 1)
  test.ok(says(worker, 'not stopped as it should'))
  test.notOk(says(worker, forced), 'by itself')
})

void t.test(
  'a second signal ends a worker without a database at once, however long its jobs might take',
  async (test) => {
    const { dataDir, worker } = await halfWay(test, { WORKER_DRAIN_SECONDS: '600' })
    await killServer(dataDir)
    worker.signal('SIGTERM')
    await worker.heard(isStopping)
    const { ms, signal } = await endOf(worker, 'SIGTERM')
    test.ok(ms < atOnceMs, `${ms} ms`)
    test.equal(signal, null)
    test.ok(says(worker, 'not stopped as it should'))
  },
)

void t.test('the database no longer answers', async (test) => {
  const { dataDir, ownerUrl, sql, person, worker, server } = await halfWay(test)
  const frozen = Promise.withResolvers<void>()
  const asking = sql.begin(async (tx) => {
    await tx`lock table public.subscription_plans in access exclusive mode`
    const asked = person.get('/usage/plans').catch(() => null)
    await waitingFor(sql, 'subscription_plans')
    await freezeServer(test, dataDir, ownerUrl)
    frozen.resolve()
    await asked
  })
  // It is killed with the server in the end.
  asking.catch((error: unknown) => frozen.reject(error))
  await frozen.promise
  server.signal('SIGTERM')
  const { ms, code } = await endOf(worker, 'SIGTERM')
  test.ok(ms < graceMs, `the worker: ${ms} ms`)
  test.equal(code, 1)
  test.ok(says(worker, 'the database did not answer in time; jobs are left to their leases'))
  test.notOk(says(worker, forced), 'by itself: no half-open connection keeps it')
  const last = await endOf(server, 'SIGTERM')
  test.ok(last.ms < atOnceMs, `the server, at the second signal: ${last.ms} ms`)
  test.equal(last.signal, null)
})

const forced = 'not stopped in time: the process ends with what it had open'
const isStopping = (line: LogLine) => line['event'] === 'stopping'
const says = ({ lines }: Running, text: string) => lines.some((line) => line['msg'] === text)

/** Server and worker alone, at a database that nobody starts again; a job stands in the middle of its last statements. */
async function halfWay(test: Teardown, env: Readonly<Record<string, string>> = {}) {
  const dataDir = await migratedFolder(test)
  const holder = await hold(test, dataDir)
  const { owner: ownerUrl, app: appUrl } = holder.urls
  const { sql, startServer, startWorker, introduce } = await openSystem(test, { ownerUrl, appUrl })
  const drain = { WORKER_DRAIN_SECONDS: String(drainSeconds) }
  const [server, worker] = await Promise.all([startServer(), startWorker({ ...drain, ...env })])
  const gates = await closeStages(test, sql, 'end', ['pass2_code'])
  const person = await introduce(server, parker)
  await person.give(sample('discharge-summary-two-pages.pdf'))
  await gates.reached('pass2_code')
  await killHard(holder.child)
  return { dataDir, ownerUrl, sql, person, worker, server }
}
