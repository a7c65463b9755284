import t from 'tap'
import { startEmbedded } from '../../db/embedded/start.ts'
import { migrate } from '../../db/migrate.ts'
import { stages } from '../../db/schema/documents.ts'
import { killServer, usedFolder } from '../support/embedded.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import { closeStages } from './gates.ts'
import { misplacedSources } from './placed.ts'
import { tracesOf } from './traces.ts'

const letter = sample('discharge-summary-two-pages.pdf')
const parker = { name: 'Parker Casper', bornOn: '1952-07-31' }
const quick = { WORKER_LEASE_SECONDS: '2', WORKER_POLL_MS: '60000' }

t.setTimeout(280_000)

void t.test('every connection cut in the middle of each stage', async (test) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(test)
  const [server, worker] = await Promise.all([startServer(), startWorker(quick)])
  const gates = await closeStages(test, sql, 'end')
  const person = await introduce(server, parker)
  const id = await person.give(letter)
  const following = person.follow(id)
  for (const stage of stages) {
    await gates.reached(stage)
    const cut = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name in ('exora-server', 'exora-worker')`
    test.ok(cut.length >= 4, 'server and worker had connections')
    await gates.open(stage)
  }
  const told = await following
  test.equal(told.at(-1)?.file_status, 'completed')
  test.equal(new Set(told.map((event) => event.id)).size, told.length, 'nothing was told twice')

  await test.test('the next upload is heard of at once, and nothing has to be started again', async (after) => {
    const another = await introduce(server, parker)
    const anotherId = await another.give(letter)
    after.equal((await another.follow(anotherId)).at(-1)?.file_status, 'completed')
    after.same(await tracesOf(sql, person, id), await tracesOf(sql, another, anotherId), 'no trace of the cuts')
    after.equal((await fetch(`${worker.address}/health`)).status, 200)
    after.equal((await fetch(`${server.address}/ready`)).status, 200)
  })
})

void t.test('a database that dies in the middle of a stage and comes back', async (test) => {
  const dataDir = await usedFolder(test)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  test.teardown(() => database.close())
  await migrate(database.urls.owner)
  const { sql, startServer, startWorker, introduce } = await openSystem(test, {
    ownerUrl: database.urls.owner,
    appUrl: database.urls.app,
  })
  const [server, worker] = await Promise.all([startServer(), startWorker(quick)])
  const person = await introduce(server, parker)
  const gates = await closeStages(test, sql, 'end', ['pass1_find'])
  const id = await person.give(letter)
  const following = person.follow(id)
  await gates.reached('pass1_find')
  // Whoever holds a seat at it starts it again on the same port; the lock of the gate is gone with it.
  await killServer(dataDir)

  test.equal((await following).at(-1)?.file_status, 'completed')
  test.ok((await person.facts(id)).length > 30)
  test.same(await misplacedSources(person, id), [])
  const jobs = await sql`select job_type, status from job_queue where shell_file_id = ${id} order by id`
  test.same(
    jobs,
    stages.map((stage) => ({ job_type: stage, status: 'completed' })),
  )
  test.equal((await fetch(`${worker.address}/health`)).status, 200)
})
