import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService, askAsService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { recordConsent } from '../../db/queries/consents.ts'
import { claimJobs } from '../../db/queries/claims.ts'
import { completeJob, holdLease } from '../../db/queries/jobs.ts'
import type { AttemptKey } from '../../db/queries/jobs.ts'
import { ask, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { decide, untilSomebodyWaits } from '../support/consents.ts'
import { beginStage, holdForReview, upload, uploadIn } from '../support/factories.ts'
import { endJobs, fileState, jobsOf, reprocess, stageStates } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'
import { keepOpen } from '../support/transactions.ts'

// Each race is run in both orders: the first transaction has done its work and stays open, the second is seen to wait.

const decideIn = (tx: Tx, by: Account, decision: 'granted' | 'withdrawn') =>
  recordConsent(tx, { profileId: by.profileId, purpose: 'data_processing', decision })

async function claimed(db: Database): Promise<AttemptKey> {
  const request = {
    workerId: 'w1',
    types: ['security_scan'],
    lanes: ['fast_queue'],
    max: 1,
    leaseMs: 60_000,
    start: null,
  } as const
  const [job] = await askAsService(db, (service) => claimJobs(service, request))
  if (job === undefined) throw new Error('no job is due')
  return { workerId: 'w1', jobId: job.id, attemptToken: job.attemptToken }
}

/** What a worker writes at the end of a stage. */
async function endStageIn(tx: Tx, attempt: AttemptKey, fileId: string): Promise<boolean> {
  if (!(await holdLease(tx, attempt))) return false
  await tx.execute(sql`update public.shell_files set page_count = 7 where id = ${fileId}`)
  await tx.execute(sql`select public.finish_stage(${fileId}, 'security_scan')`)
  await tx.execute(
    sql`select public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', ${fileId}::text))`,
  )
  return await completeJob(tx, attempt, undefined)
}

async function pageCount(owner: postgres.Sql, fileId: string): Promise<unknown> {
  return (await owner`select page_count from shell_files where id = ${fileId}`)[0]?.['page_count']
}

test('a withdrawal during an upload finds its job', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const uploading = await keepOpen(
    (work) => asActor(db, person.actor, work),
    (tx) => uploadIn(tx, person),
  )
  t.type(uploading.result.job_id, 'string')
  const withdrawing = decide(db, person, 'withdrawn')
  await untilSomebodyWaits(owner)
  await uploading.commit()
  await withdrawing
  t.same(await jobsOf(db, uploading.result.shell_file_id, 'cancelled'), ['security_scan'])
  t.same(await jobsOf(db, uploading.result.shell_file_id), [])
})

test('an upload during a withdrawal makes no job, and during a grant makes one', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  for (const [decision, expected] of [
    ['withdrawn', []],
    ['granted', ['security_scan']],
  ] as const) {
    const deciding = await keepOpen(
      (work) => asActor(db, person.actor, work),
      (tx) => decideIn(tx, person, decision),
    )
    const uploading = upload(db, person)
    await untilSomebodyWaits(owner)
    await deciding.commit()
    t.same(await jobsOf(db, (await uploading).shell_file_id), expected, decision)
  }
})

test('a withdrawal while a worker commits a stage finds the job of the next', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  const attempt = await claimed(db)
  await beginStage(db, id, 'security_scan')
  const committing = await keepOpen(
    (work) => asService(db, {}, work),
    async (tx) => ({ tx, isHeld: await holdLease(tx, attempt) }),
  )
  const withdrawing = decide(db, person, 'withdrawn')
  await untilSomebodyWaits(owner)
  t.equal(committing.result.isHeld, true)
  t.equal(await endStageIn(committing.result.tx, attempt, id), true, 'it is waited for, all of it')
  await committing.commit()
  await withdrawing
  t.match(await stageStates(db, id), { security_scan: 'completed', ocr: 'failed' })
  t.same(await jobsOf(db, id, 'cancelled'), ['ocr'])
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), ['ocr'])
})

test('a worker that wants to commit while consent is being withdrawn writes nothing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  const attempt = await claimed(db)
  await beginStage(db, id, 'security_scan')
  const withdrawing = await keepOpen(
    (work) => asActor(db, person.actor, work),
    (tx) => decideIn(tx, person, 'withdrawn'),
  )
  const committing = asService(db, {}, (tx) => endStageIn(tx, attempt, id))
  await untilSomebodyWaits(owner)
  await withdrawing.commit()
  t.equal(await committing, false, 'the lease is lost')
  t.equal(await pageCount(owner, id), null)
  t.match(await fileState(db, id), { status: 'failed', processing_error: { code: 'processing_stopped' } })
  t.same(await jobsOf(db, id), [])
})

test('a decision about a document, or its reprocessing, during a withdrawal starts nothing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: held } = await upload(db, person)
  const { shell_file_id: done } = await upload(db, person)
  for (const id of [held, done]) await endJobs(db, id, 'completed')
  const review = await holdForReview(db, held, person.profileId)
  const withdrawing = await keepOpen(
    (work) => asActor(db, person.actor, work),
    (tx) => decideIn(tx, person, 'withdrawn'),
  )
  const accepting = ask(db, person.actor, sql`select public.decide_identity_review(${review}, 'accepted')`)
  const again = reprocess(db, person, done, 'security_scan').then(
    () => 'done',
    () => 'refused',
  )
  await untilSomebodyWaits(owner)
  await withdrawing.commit()
  await accepting
  t.equal(await again, 'refused')
  for (const id of [held, done]) t.same(await jobsOf(db, id), [])
})

test('a hundred grants and withdrawals at once leave what the last of them said', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: first } = await upload(db, person)
  await upload(db, person)
  const again = async () => t.match(await refusal(reprocess(db, person, first, 'security_scan')), /^(allowed|55000)$/)
  const endings = new Set<string>()
  for (let round = 0; round < 2; round += 1) {
    const storm = Array.from({ length: 100 }, (_, n) => [
      decide(db, person, (n + round) % 2 === 0 ? 'withdrawn' : 'granted'),
      ...(n % 40 === 0 ? [upload(db, person, { content: randomUUID() })] : []),
      ...(n % 10 === 0 ? [workOnce(db), again()] : []),
    ])
    await Promise.all(storm.flat())
    endings.add(await checkNothingTorn())
  }
  await decide(db, person, 'granted')
  endings.add(await checkNothingTorn())
  await decide(db, person, 'withdrawn')
  endings.add(await checkNothingTorn())
  t.same([...endings].toSorted(), ['granted', 'withdrawn'])

  async function checkNothingTorn(): Promise<string> {
    const [last] = await owner<{ decision: string }[]>`select decision from patient_consents order by id desc limit 1`
    const files = await owner<{ unfinished: string; status: string; live: number; stage: string | null }[]>`
      select step.stage as unfinished, step.status, count(job.id)::int as live, min(job.job_type) as stage
      from shell_files as file
      cross join lateral (
        select * from shell_file_stages as one where one.shell_file_id = file.id and one.status <> 'completed'
        order by one.position limit 1
      ) as step
      left join job_queue as job on job.shell_file_id = file.id and job.status in ('pending', 'processing')
      group by file.id, step.stage, step.status`
    const decision = last?.decision ?? 'none'
    for (const file of files) {
      if (decision === 'granted') t.match(file, { live: 1, stage: file.unfinished, status: /pending|running/ })
      else t.match(file, { live: 0, status: /pending|failed/ })
    }
    return decision
  }
})

/** A worker that claims a scan, if one is due, and ends it. */
async function workOnce(db: Database): Promise<void> {
  const request = {
    workerId: 'w1',
    types: ['security_scan'],
    lanes: ['fast_queue'],
    max: 1,
    leaseMs: 60_000,
    start: null,
  } as const
  const [job] = await askAsService(db, (service) => claimJobs(service, request))
  if (job?.shellFileId === undefined || job.shellFileId === null) return
  const { shellFileId } = job
  const attempt = { workerId: 'w1', jobId: job.id, attemptToken: job.attemptToken }
  await asService(db, {}, async (tx) => {
    if (!(await holdLease(tx, attempt))) return
    await tx.execute(sql`select public.begin_stage(${shellFileId}, 'security_scan', '1')`)
    await endStageIn(tx, attempt, shellFileId)
  })
}
