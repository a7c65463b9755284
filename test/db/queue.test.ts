import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { signUp } from '../support/actors.ts'
import { claim, enqueueJob, ownerSql, serviceSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'

test('enqueueing says what is wrong with a job', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const file = { shell_file_id: randomUUID() }
  await t.rejects(enqueueJob(sql, { type: 'brew' }), { message: /job_type "brew" is not known/ })
  await t.rejects(enqueueJob(sql, { priority: 11 }), { message: /priority must be from 1 to 10/ })
  await t.rejects(enqueueJob(sql, { payload: { shell_file: 'x' } }), { message: /lacks: shell_file_id/ })
  await t.rejects(enqueueJob(sql, { payload: { shell_file_id: 'x' } }), { message: /shell_file_id is not a UUID/ })
  await t.rejects(enqueueJob(sql, { payload: ['x'] }), { message: /must be a JSON object/ })
  await t.rejects(enqueueJob(sql, { payload: { ...file, text: 'x'.repeat(5000) } }), { message: /ids only/ })
  const wrongLane = sql`select public.enqueue_job_v3('ocr', 'ocr', ${sql.json(file)}, job_lane => 'ai_queue')`
  await t.rejects(wrongLane, { message: /job_lane "ai_queue" does not serve job_type "ocr"/ })
  const wrongCategory = sql`select public.enqueue_job_v3('ocr', 'ocr', ${sql.json(file)}, job_category => 'urgent')`
  await t.rejects(wrongCategory, { message: /job_category "urgent" is not known/ })
  t.same((await sql`select count(*)::int as n from public.job_queue`)[0], { n: 0 })
})

test('one key is one job, also for fifty at once', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 20)
  const ids = await Promise.all(Array.from({ length: 50 }, () => enqueueJob(sql, { key: 'upload-7' })))
  t.equal(new Set(ids).size, 1)
  t.not(await enqueueJob(sql, { key: 'upload-8' }), ids[0])
})

test('the most urgent job is claimed first, then the oldest', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const usual = await enqueueJob(sql)
  const later = await enqueueJob(sql)
  const low = await enqueueJob(sql, { priority: 1 })
  const urgent = await enqueueJob(sql, { priority: 10 })
  await enqueueJob(sql, { priority: 10, scheduledAt: new Date(Date.now() + 60_000) })
  const claimed = await claim(sql, 'w1', { max: 10 })
  t.same(
    claimed.map((job) => job.id),
    [urgent, usual, later, low],
  )
})

test('a worker gets only the lanes and types that it asks for', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const ocr = await enqueueJob(sql)
  const find = await enqueueJob(sql, { type: 'pass1_find' })
  t.same(await claim(sql, 'w1', { lanes: ['background'], max: 5 }), [])
  const none = await sql`select * from public.claim_next_job_v3('w1', array['security_scan'], array['fast_queue'], 5)`
  t.equal(none.length, 0)
  t.same(
    (await claim(sql, 'w1', { lanes: ['ai_queue'], max: 5 })).map((job) => job.id),
    [find],
  )
  const rest = await sql`select id from public.claim_next_job_v3(worker_id => 'w2', max_jobs => 5)`
  t.same(
    rest.map((row) => row['id']),
    [ocr],
  )
})

test('a thousand uploads of one person do not hold up another', async (t) => {
  const { appUrl, db } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const { profileId: busy } = await signUp(db)
  const { profileId: other } = await signUp(db)
  await sql`
    select public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', gen_random_uuid()), patient_id => ${busy})
    from generate_series(1, 1000)`
  for (let n = 0; n < 3; n += 1) await enqueueJob(sql, { patientId: other })
  const claimed = await claim(sql, 'w1', { max: 6 })
  t.equal(claimed.filter((job) => job.patient_id === other).length, 3)

  // Who comes while the long line is being served neither waits for its end nor goes before everybody for ever.
  await claim(sql, 'w1', { max: 100 })
  const { profileId: late } = await signUp(db)
  for (let n = 0; n < 50; n += 1) await enqueueJob(sql, { patientId: late })
  const shared = await claim(sql, 'w1', { max: 40 })
  const ofLate = shared.filter((job) => job.patient_id === late).length
  t.ok(ofLate >= 19 && ofLate <= 21, `${ofLate} of 40`)
})

test('twenty workers racing for the same jobs never get one twice', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 20)
  await sql`
    select public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', gen_random_uuid()))
    from generate_series(1, 500)`
  const takeAll = async (worker: string) => {
    const taken: string[] = []
    for (;;) {
      const batch = await claim(sql, worker, { max: 3 })
      if (batch.length === 0) return taken
      taken.push(...batch.map((job) => job.id))
    }
  }
  const all = (await Promise.all(Array.from({ length: 20 }, (_, n) => takeAll(`w${n}`)))).flat()
  t.equal(all.length, 500)
  t.equal(new Set(all).size, 500)
})

test('neither finished jobs nor a long queue make claiming dearer', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const sql = serviceSql(t, appUrl)
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, status, completed_at)
    select 'ocr', 'fast_queue', 'ocr', '{}', 'completed', now() from generate_series(1, 20000)`
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, fair_turn)
    select 'ocr', 'fast_queue', 'ocr', '{}', n from generate_series(1, 5000) as n`
  const text = `select * from public.claim_next_job_v3('w1', null, array['fast_queue'], 5)`
  const buffers = async () => {
    const [row] = await sql.unsafe(`explain (analyze, buffers, format json) ${text}`)
    const plan: unknown = row?.['QUERY PLAN']
    const found = /"Shared Hit Blocks": (\d+).*?"Shared Read Blocks": (\d+)/s.exec(JSON.stringify(plan, null, 1))
    return Number(found?.[1]) + Number(found?.[2])
  }
  await buffers()
  const touched = await buffers()
  t.ok(touched < 400, `${touched} buffers for 5 of 5,000 jobs among 20,000 finished ones`)
})

test('inserts wake each lane once, and jobs for later wake nobody', async (t) => {
  const { appUrl, db } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const heard: string[] = []
  const marked = Promise.withResolvers<void>()
  await db.listen('exora_jobs', (payload) => {
    if (payload === 'mark') marked.resolve()
    else heard.push(payload)
  })
  await enqueueJob(sql, { scheduledAt: new Date(Date.now() + 60_000) })
  await sql`
    select public.enqueue_job_v3(kind, kind, jsonb_build_object('shell_file_id', gen_random_uuid()))
    from generate_series(1, 20), unnest(array['ocr', 'pass1_find']) as kind`
  const id = await enqueueJob(sql)
  await claim(sql, 'w1', { max: 100 })
  await sql`select public.hand_back_jobs('w1', array[${id}]::uuid[])`
  await sql`select pg_notify('exora_jobs', 'mark')`
  await marked.promise
  t.same(heard.toSorted(), ['ai_queue', 'fast_queue', 'fast_queue', 'fast_queue'])
})
