import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { documentSchema } from '../../server/routes/documents/schema.ts'
import { actorOf, ownerSql, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

test('the bin', async (group) => {
  const { db, ownerUrl, account } = await startApp(group)
  const owner = ownerSql(group, ownerUrl)
  const uploaded = async (who: TestAccount, word: string) =>
    String((await who.upload({ bytes: pdf(word) })).body['shell_file_id'])
  const remove = (who: TestAccount, id: string) => who.remove(`/documents/${id}`)
  const restore = (who: TestAccount, id: string) => who.post(`/documents/${id}/restore`, {})

  await group.test('a deleted document is seen nowhere until it is restored', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'letter')
    const deleted = await remove(parent, id)
    t.match(deleted, { status: 204, text: '' })
    t.equal((await remove(parent, id)).status, 204, 'asked again it is still so')
    for (const path of ['', '/facts', '/narratives', '/pages', '/text', '/content', '/events'])
      t.equal((await parent.get(`/documents/${id}${path}`)).status, 404, path)
    t.same((await parent.get(`/documents?patient_id=${parent.profileId}`)).body['documents'], [])
    t.equal((await parent.post('/api/process-document', { shell_file_id: id })).status, 404)

    const restored = await restore(parent, id)
    t.equal(restored.status, 200)
    t.equal(documentSchema.parse(restored.body).id, id)
    t.equal((await restore(parent, id)).status, 200, 'asked again it is still so')
    t.equal((await parent.get(`/documents/${id}`)).status, 200)
  })

  await group.test('whoever may only read may not delete, and strangers find nothing', async (t) => {
    const [parent, reader, stranger] = [
      await account(randomUUID()),
      await account(randomUUID()),
      await account(randomUUID()),
    ]
    const as = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    await giveAccess(db, as(parent), as(reader), parent.profileId, { level: 'read_only' })
    const id = await uploaded(parent, 'guarded')
    for (const change of [remove, restore]) {
      t.match(await change(reader, id), { status: 403, body: { code: 'forbidden' } })
      t.match(await change(stranger, id), { status: 404, body: { code: 'not_found' } })
      t.match(await change(parent, randomUUID()), { status: 404, body: { code: 'not_found' } })
      t.match(await change(parent, 'not-an-id'), { status: 400, body: { code: 'invalid_request' } })
    }
    t.equal((await parent.get(`/documents/${id}`)).status, 200)
  })

  await group.test('bytes that were uploaded again are told as that', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'twice')
    await remove(parent, id)
    const again = await parent.upload({ bytes: pdf('twice') })
    t.match(again, { status: 201, body: { duplicate_of: null } })
    t.match(await restore(parent, id), { status: 409, body: { code: 'uploaded_again' } })
  })

  await group.test('past an enforced limit of storage the answer says so', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'large')
    await remove(parent, id)
    await owner`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
    await owner`
      insert into usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
      values (${parent.accountId}, ${parent.profileId}, 'file_uploaded', ${randomUUID()}, ${100 * 1_048_576}, current_date)`
    t.match(await restore(parent, id), {
      status: 402,
      body: { code: 'plan_limit_reached', limit: { name: 'storage', resets_at: null } },
    })
    await serve(db, sql`select public.set_account_plan(${parent.accountId}, 'enterprise')`)
    t.equal((await restore(parent, id)).status, 200)
  })
})
