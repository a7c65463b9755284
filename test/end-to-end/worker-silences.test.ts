import t from 'tap'
import type postgres from 'postgres'
import { sample } from '../support/samples.ts'
import { eventually } from '../support/signals.ts'
import { openSystem } from '../support/system.ts'
import { closePage, closeStages } from './gates.ts'
import { misplacedSources } from './placed.ts'
import { tracesOf } from './traces.ts'

const letter = sample('discharge-summary-two-pages.pdf')
const parker = { name: 'Parker Casper', bornOn: '1952-07-31' }
const quick = { WORKER_LEASE_SECONDS: '2' }

t.setTimeout(280_000)

void t.test('a worker that falls silent', async (group) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(group)
  const [server, sleeper] = await Promise.all([startServer(), startWorker(quick)])
  const control = await introduce(server, parker)
  const controlId = await control.give(letter)
  await control.follow(controlId)
  const wanted = await tracesOf(sql, control, controlId)
  let awake = sleeper

  await group.test('and wakes up after another has done its work writes nothing', async (test) => {
    const gates = await closeStages(test, sql, 'end', ['spatial_mapping'])
    const person = await introduce(server, parker)
    const id = await person.give(letter)
    await gates.reached('spatial_mapping')
    // Asked for behind the mapping and before pass 1, so that pass 1 cannot read its text: it stands in the middle of
    // its stage, in no transaction that would hold its lease.
    const lock = sql.begin(async (tx) => {
      await tx`lock table shell_file_texts in access exclusive mode`
      await waitingReader(sql)
      sleeper.signal('SIGSTOP')
    })
    await waitingLock(sql)
    await gates.open('spatial_mapping')
    await lock
    awake = await startWorker(quick)
    test.equal((await person.follow(id)).at(-1)?.file_status, 'completed')

    sleeper.signal('SIGCONT')
    await sleeper.heard((line) => line['msg'] === 'job ended' && line['outcome'] === 'lost')
    test.same(await tracesOf(sql, person, id), wanted)
    test.same(await misplacedSources(person, id), [])
    sleeper.signal('SIGTERM')
    test.same(await sleeper.exited, { code: 0, signal: null }, 'it is none the worse for it')
  })

  await group.test('behind the first page leaves that page to the next, who goes on with the second', async (test) => {
    const gate = await closePage(test, sql, 2)
    const person = await introduce(server, parker)
    const id = await person.give(letter)
    await gate.reached('page')
    const firstPage = () =>
      sql`select page_number, created_at from shell_file_pages where shell_file_id = ${id} order by page_number limit 1`
    const before = await firstPage()
    await awake.kill()
    await gate.open('page')
    await startWorker(quick)
    test.equal((await person.follow(id)).at(-1)?.file_status, 'completed')
    test.match(before, [{ page_number: 1 }])
    test.same(await firstPage(), before, 'the first page was not read again')
    test.same(await tracesOf(sql, person, id), wanted)
  })
})

const waitingLock = (sql: postgres.Sql) => waitingFor(sql, 'AccessExclusiveLock')
const waitingReader = (sql: postgres.Sql) => waitingFor(sql, 'AccessShareLock')

async function waitingFor(sql: postgres.Sql, mode: string): Promise<void> {
  await eventually(async () => {
    const waiting = await sql`
      select from pg_locks
      where relation = 'shell_file_texts'::regclass and mode = ${mode} and not granted
        and database = (select oid from pg_database where datname = current_database())`
    if (waiting.length === 0) throw new Error('nobody waits for the texts')
  })
}
