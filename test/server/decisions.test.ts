import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { completeStages, giveAccess, holdForReview } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const uploaded = async (who: TestAccount, word: string) =>
  String((await who.upload({ bytes: pdf(word) })).body['shell_file_id'])

test('what people decide about documents', async (group) => {
  const { db, account } = await startApp(group)

  await group.test('a person decides whose document it is', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'whose')
    const decide = (decision: string) => parent.post(`/documents/${id}/identity-review`, { decision })
    t.match(await decide('accepted'), { status: 409, body: { code: 'nothing_to_decide' } })
    await holdForReview(db, id, parent.profileId)
    t.match((await parent.get(`/documents/${id}`)).body, {
      status: 'needs_review',
      identity_review: { status: 'pending', reasons: ['name_differs'] },
    })

    t.match(await decide('perhaps'), { status: 400, body: { code: 'invalid_request' } })
    t.match(await decide('accepted'), {
      status: 200,
      body: { status: 'processing', identity_review: { status: 'accepted' } },
    })
    t.match(await decide('rejected'), { status: 409, body: { code: 'nothing_to_decide' } })
    const [job] = await serve(
      db,
      sql`select 1 from public.job_queue where shell_file_id = ${id} and job_type = 'pass2_code'`,
    )
    t.ok(job)
  })

  await group.test('a document is processed again from a stage on', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'again')
    const process = (body: object) => parent.post('/api/process-document', { shell_file_id: id, ...body })
    t.match(await process({}), { status: 409, body: { code: 'cannot_process' } }, 'its first job still waits')

    await serve(
      db,
      sql`update public.job_queue set status = 'completed', completed_at = now() where shell_file_id = ${id}`,
    )
    await completeStages(db, id, [
      'security_scan',
      'ocr',
      'spatial_mapping',
      'pass1_find',
      'pass2_code',
      'pass3_narrate',
    ])
    t.match(await process({ stages: ['pass2_code', 'pass1_find'] }), {
      status: 202,
      body: { from_stage: 'pass1_find', status: 'enqueued' },
    })
    t.match((await parent.get(`/documents/${id}`)).body, { status: 'processing' })
    t.match(await process({ stages: ['guess'] }), { status: 400 })
    t.match(await parent.post('/api/process-document', { shell_file_id: randomUUID() }), { status: 404 })
  })

  await group.test('who may only read may not decide or process', async (t) => {
    const [parent, carer] = [await account(randomUUID()), await account(randomUUID())]
    const id = await uploaded(parent, 'read only')
    const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    await giveAccess(db, acting(parent), acting(carer), parent.profileId, { level: 'read_only' })
    await holdForReview(db, id, parent.profileId)
    t.equal((await carer.get(`/documents/${id}`)).status, 200)
    t.match(await carer.post(`/documents/${id}/identity-review`, { decision: 'accepted' }), {
      status: 403,
      body: { code: 'forbidden' },
    })
    t.match(await carer.post('/api/process-document', { shell_file_id: id }), {
      status: 403,
      body: { code: 'forbidden' },
    })
    t.match((await carer.get('/profiles')).body, { profiles: [{ is_own: false }, { is_own: true }] })
  })
})
