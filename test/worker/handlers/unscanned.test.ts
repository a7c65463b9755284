import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import { findDocument, listStages } from '../../../db/queries/documents.ts'
import { listOriginals } from '../../../db/queries/record-rows.ts'
import { handBackOf } from '../../../db/queries/hand-back.ts'
import { createMetrics } from '../../../platform/telemetry.ts'
import { addQueueMetrics } from '../../../worker/queue-metrics.ts'
import { createRescanSchedule } from '../../../worker/rescan-schedule.ts'
import { takingUnscanned } from '../../../worker/providers/malware/index.ts'
import { malwareScanTooLarge, malwareScanUnavailable } from '../../../worker/providers/malware/provider.ts'
import type { MalwareProvider, MalwareVerdict } from '../../../worker/providers/malware/provider.ts'
import { serve, signUp } from '../../support/actors.ts'
import { fileState } from '../../support/files.ts'
import { testDatabase } from '../../support/postgres.ts'
import { sample } from '../../support/samples.ts'
import { stageRunner } from '../../support/stage-runner.ts'

const checkedWith = [{ scanner: 'clamav', version: '1.4.6', signatures: '27123/Tue Mar  3 09:12:44 2026' }]
const clean: MalwareVerdict = { kind: 'clean', checkedWith }
const infected: MalwareVerdict = { kind: 'infected', name: 'Bad', checkedWith }

test('a scanner that is away', async (suite) => {
  const { db } = await testDatabase(suite)
  const person = await signUp(db, 'me')
  let answer: () => MalwareVerdict = () => {
    throw malwareScanUnavailable()
  }
  const scanner: MalwareProvider = { name: 'test', inspect: async () => answer() }
  const stageOf = (id: string) =>
    asService(db, {}, async (tx) => (await listStages(tx, id)).find(({ stage }) => stage === 'security_scan'))
  const mayBeHandedBack = async (id: string) => {
    const originals = await asService(db, {}, (tx) =>
      listOriginals(tx, { patientId: person.profileId, after: null, limit: 100 }),
    )
    return handBackOf(originals.find((original) => original.id === id)?.scan)
  }
  const away = () => {
    answer = () => {
      throw malwareScanUnavailable()
    }
  }

  await suite.test('makes files wait: nothing is taken that it has not seen', async (t) => {
    const runner = await stageRunner(t, db, { malware: scanner })
    const file = await runner.upload(person, sample('lab-report-au.pdf'))
    t.match(await runner.runOne(), { type: 'security_scan', settled: 'retrying' })
    t.match(await serve(db, sql`select error_code, error_type from processing_errors`), [
      { error_code: 'malware_scan_unavailable', error_type: 'transient' },
    ])
    t.equal(await mayBeHandedBack(file), 'pending')
    answer = () => clean
    await serve(db, sql`update job_queue set scheduled_at = now() where shell_file_id = ${file}`)
    t.match(await runner.runOne(), { settled: 'completed' })
    t.match(await stageOf(file), { outcome: { notices: [], scan: { malware: 'clean', checked_with: checkedWith } } })
    await runner.runAll()
  })

  await suite.test('lets files pass where that is wanted: they say so, until it has seen them', async (t) => {
    away()
    const malware = takingUnscanned(scanner)
    const runner = await stageRunner(t, db, { malware })
    const rescan = () =>
      createRescanSchedule(runner.store, malware).run({
        inService: (work) => asService(db, {}, work),
        signal: new AbortController().signal,
      })
    const metrics = createMetrics({ service: 'test', runtime: 'leave_out' })
    addQueueMetrics(metrics, db)
    const good = await runner.upload(person, sample('lab-report-us.pdf'))
    t.match(await runner.runOne(), { settled: 'completed' })
    await rescan()
    t.match(await stageOf(good), { outcome: { scan: { malware: 'unscanned' } } }, 'left alone while it is processed')
    await runner.runAll()
    const notice = { code: 'unscanned', message: /not been checked for malware yet/ }
    t.match(await stageOf(good), {
      status: 'completed',
      outcome: { notices: [notice], scan: { malware: 'unscanned' } },
    })
    t.match((await metrics.expose()).body, /exora_unscanned_documents\{service="test"\} 1/)

    await rescan()
    t.match(await stageOf(good), { outcome: { notices: [notice] } }, 'it is still away')
    answer = () => {
      throw malwareScanTooLarge()
    }
    await rescan()
    t.match(await stageOf(good), { outcome: { notices: [notice] } }, 'it still cannot take it')
    answer = () => clean
    await rescan()
    t.strictSame((await stageOf(good))?.outcome, {
      notices: [],
      scan: { verdict: 'clean', findings: [], malware: 'clean', checked_with: checkedWith },
    })
    t.equal((await fileState(db, good))?.status, 'completed')
    t.equal(await mayBeHandedBack(good), 'allowed')
  })

  await suite.test('finds later what it would have found at once: the file is closed', async (t) => {
    away()
    const malware = takingUnscanned(scanner)
    const runner = await stageRunner(t, db, { malware })
    const file = await runner.upload(person, sample('referral-letter-au.pdf'))
    await runner.runAll()
    t.equal(await mayBeHandedBack(file), 'allowed')
    answer = () => infected
    const schedule = createRescanSchedule(runner.store, malware)
    await schedule.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
    t.match(await fileState(db, file), {
      status: 'failed',
      processing_error: { code: 'file_infected', stage: 'security_scan' },
    })
    t.equal(await mayBeHandedBack(file), 'infected')
    t.ok(await asService(db, {}, (tx) => findDocument(tx, file)))
  })

  await suite.test('does not keep a bomb that it gives up on from being refused as one', async (t) => {
    answer = () => {
      throw malwareScanTooLarge()
    }
    const runner = await stageRunner(t, db, { malware: scanner, maxPages: 1 })
    const tooLong = await runner.upload(person, sample('discharge-summary-two-pages.pdf'))
    t.match(await runner.runOne(), { settled: 'completed' })
    t.match(await fileState(db, tooLong), { processing_error: { code: 'too_many_pages' } })
    t.equal(await mayBeHandedBack(tooLong), 'unchecked', 'and nobody has said that it is harmless')
    const letter = await runner.upload(person, sample('lab-report-au.pdf'))
    t.match(await runner.runOne(), { settled: 'retrying' }, 'what would be taken waits')
    t.equal(await mayBeHandedBack(letter), 'pending')
  })
})
