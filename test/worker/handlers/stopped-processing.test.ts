import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../../db/actor.ts'
import { listFacts } from '../../../db/queries/facts.ts'
import { createMalwareScan } from '../../../worker/providers/malware/index.ts'
import { schedulesOver } from '../../support/schedules.ts'
import { ownerSql, serve, signUp } from '../../support/actors.ts'
import { decide, grantThatRanOut } from '../../support/consents.ts'
import { fileState, jobsOf, stageStates } from '../../support/files.ts'
import { testDatabase } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'

const document = (name: string) => fileURLToPath(new URL(`../../fixtures/documents/${name}`, import.meta.url))
const stopped = { status: 'failed', processing_error: { code: 'processing_stopped' } }

test('what a worker was doing when consent was withdrawn leaves no effect, and is done anew after a grant', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db, 'me')
  const scan = createMalwareScan()
  let during = () => decide(db, person, 'withdrawn')
  const malware: typeof scan = {
    ...scan,
    inspect: async (...file) => {
      await during()
      return await scan.inspect(...file)
    },
  }
  const runner = await stageRunner(t, db, { malware })
  const file = await runner.upload(person, document('lab-report-au.pdf'))

  t.match(await runner.runOne(), { type: 'security_scan', settled: 'lost' })
  t.match(await fileState(db, file), { ...stopped, processing_error: { stage: 'security_scan' } })
  t.match(await serve(db, sql`select page_count from shell_files`), [{ page_count: null }])
  t.equal(await runner.runOne(), null, 'and nothing is left to do')

  during = () => Promise.resolve(0)
  await decide(db, person, 'granted')
  t.equal((await runner.runAll()).length, 6)
  t.match(await fileState(db, file), { status: 'completed', processing_error: null })
})

test('each stage that is stopped in the middle of a document goes on after a grant, with each fact once', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  for (let left = 6; left > 0; left -= 1) {
    t.type(await runner.dieInOne(), 'string')
    await decide(db, person, 'withdrawn')
    t.match(await fileState(db, file), stopped)
    await decide(db, person, 'granted')
    t.match(await runner.runOne(), { settled: 'completed' })
  }
  t.equal(await runner.runOne(), null)
  t.match(await fileState(db, file), { status: 'completed' })
  const calm = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()
  const contents = async (id: string) =>
    (await asActor(db, person.actor, (tx) => listFacts(tx, id))).map(({ type, text, value }) => [type, text, value])
  t.same(await contents(file), await contents(calm))
})

test('a job whose consent has run out ends at its beginning: no retry, no failure, and it says why', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runOne()
  await grantThatRanOut(owner, person)

  t.match(await runner.runOne(), { type: 'ocr', settled: 'lost' })
  t.same(await jobsOf(db, file, 'cancelled'), ['ocr'])
  t.match(await fileState(db, file), { ...stopped, processing_error: { stage: 'ocr' } })
  t.equal((await owner`select 1 from processing_errors`).length, 0)
  t.match(await owner`select reason from audit_log where table_name = 'job_queue'`, [{ reason: 'processing stopped' }])
  await decide(db, person, 'granted')
  t.same((await runner.runAll())[0], 'ocr')
})

test('a consent that runs out while a stage runs lets it end and does not begin the next', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db, 'me')
  const scan = createMalwareScan()
  const malware: typeof scan = {
    ...scan,
    inspect: async (...file) => {
      await grantThatRanOut(owner, person)
      return await scan.inspect(...file)
    },
  }
  const runner = await stageRunner(t, db, { malware })
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  t.match(await runner.runOne(), { settled: 'completed' })
  t.match(await stageStates(db, file), { security_scan: 'completed', ocr: 'pending' })
  t.same(await jobsOf(db, file), [])
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, file), ['ocr'])
})

test('once a minute the jobs of those whose consent has run out are stopped', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  await grantThatRanOut(ownerSql(t, ownerUrl), person)
  const schedules = schedulesOver(runner.store)
  const schedule = schedules.find(({ name }) => name === 'stop_unallowed_processing')
  t.same(schedule?.slots, { everySeconds: 60 })
  await schedule?.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
  t.match(await fileState(db, file), stopped)
  t.same(await jobsOf(db, file, 'cancelled'), ['security_scan'])
})
