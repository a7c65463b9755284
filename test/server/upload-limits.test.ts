import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { ownerSql, serve } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { encodeForm, formType, pdf } from '../support/multipart.ts'

const freeStorageBytes = 100 * 1_048_576

test('past a limit an upload is refused by name, and leaves neither object nor key', async (t) => {
  const { store, db, ownerUrl, account } = await startApp(t)
  const parent = await account(randomUUID())
  await enforceLimits(ownerSql(t, ownerUrl))
  for (let n = 0; n < 10; n += 1) await parent.upload({ bytes: pdf(`${n}`) })
  t.equal((await Array.fromAsync(store.list())).length, 10)

  const eleventh = await parent.upload({ bytes: pdf('eleventh') })
  t.match(eleventh, {
    status: 402,
    body: { code: 'plan_limit_reached', limit: { name: 'shell_files', used: 10, limit: 10 } },
  })
  t.match(String(eleventh.body['detail']), /10 of 10/)
  const keyed = await parent.upload({ bytes: pdf('eleventh'), key: 'k' })
  t.equal(keyed.status, 402)
  t.equal((await Array.fromAsync(store.list())).length, 10)
  const [keys] = await serve<{ n: string }>(db, sql`select count(*) as n from public.idempotency_keys`)
  t.equal(Number(keys?.n), 0, 'its key is free again')

  const replayed = await parent.upload({ bytes: pdf('0') })
  t.equal(replayed.status, 402, 'without a key the limit speaks first')
})

test('a spent limit is told before the file has come', async (t) => {
  const { url, store, ownerUrl, account } = await startApp(t)
  const parent = await account(randomUUID())
  const owner = ownerSql(t, ownerUrl)
  await enforceLimits(owner)
  await useStorage(owner, parent, freeStorageBytes - 1_000_000)
  const me = { field: 'patient_id', value: parent.profileId }
  const body = encodeForm([me, { file: Buffer.concat([pdf('long'), Buffer.alloc(2_000_000)]) }])

  const upload = request(`${url}/documents/upload`, {
    method: 'POST',
    headers: { ...parent.headers, 'content-type': formType, 'content-length': body.byteLength },
  })
  t.teardown(() => upload.destroy())
  // Nothing follows until there is an answer: whoever waits for the file waits for ever.
  upload.write(body.subarray(0, 1_000))
  const [answer] = await once(upload, 'response')
  t.equal(answer.statusCode, 402)
  t.match(await json(answer), { code: 'plan_limit_reached', limit: { name: 'storage', limit: freeStorageBytes } })
  t.same(await Array.fromAsync(store.list()), [])
})

test('a file that just fits is taken, though the form around it would not fit', async (t) => {
  const { url, store, ownerUrl, account } = await startApp(t)
  const parent = await account(randomUUID())
  const owner = ownerSql(t, ownerUrl)
  await enforceLimits(owner)
  const bytes = pdf('the last one')
  await useStorage(owner, parent, freeStorageBytes - bytes.byteLength)
  const me = { field: 'patient_id', value: parent.profileId }
  const send = (file: Uint8Array) =>
    ask(`${url}/documents/upload`, {
      method: 'POST',
      headers: { ...parent.headers, 'content-type': formType },
      body: new Uint8Array(encodeForm([me, { file }])),
    })
  t.match(await send(Buffer.concat([bytes, Buffer.from('x')])), { status: 402 }, 'a byte more is refused')
  t.same(await Array.fromAsync(store.list()), [], 'and its object is gone')
  t.match(await send(bytes), { status: 201 })
})

async function enforceLimits(owner: postgres.Sql): Promise<void> {
  await owner`update public.feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
}

async function useStorage(
  owner: postgres.Sql,
  by: { readonly accountId: string; readonly profileId: string },
  bytes: number,
): Promise<void> {
  await owner`
    insert into public.usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
    values (${by.accountId}, ${by.profileId}, 'file_uploaded', ${randomUUID()}, ${bytes}, current_date)`
}
