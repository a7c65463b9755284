import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import sharp from 'sharp'
import { test } from 'tap'
import { createLog } from '../../platform/log.ts'
import { renderPage } from '../../platform/rendering/render-page.ts'
import { createKeptPictures } from '../../server/routes/documents/kept-pictures.ts'
import { createPagePictures } from '../../server/routes/documents/page-pictures.ts'
import { ownerSql, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import { completeStages } from '../support/factories.ts'

test('pictures of pages', async (group) => {
  const server = await startApp(group, { renderPage })
  const { db, store } = server
  const parent = await server.account(randomUUID())
  const bytes = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'white' } })
    .png()
    .toBuffer()
  const id = String((await parent.upload({ bytes })).body['shell_file_id'])
  await completeStages(db, id, ['security_scan'])
  const [file] = await serve(db, sql`select storage_key from shell_files where id = ${id}`)
  const wanted = { shellFileId: id, storageKey: String(file?.['storage_key']), mimeType: 'image/png', page: 1 }

  let drawn = 0
  /** A server with a memory of its own. */
  const oneServer = () => {
    const kept = createKeptPictures({ db, store, log: createLog({ level: 'silent', service: 'test' }) })
    return createPagePictures(store, kept, async (page) => {
      drawn += 1
      return await renderPage(page)
    })
  }
  const keysOf = async () =>
    (await serve(db, sql`select storage_key from page_pictures where shell_file_id = ${id}`)).map((row) =>
      String(row['storage_key']),
    )

  await group.test('are drawn once, whoever asks at the same time and whichever server', async (t) => {
    const server1 = oneServer()
    const ask = () => server1.get({ ...wanted, widthPx: 320 })
    const [first, second] = await Promise.all([ask(), ask()])
    t.same(first, second)
    t.same(await oneServer().get({ ...wanted, widthPx: 320 }), first)
    t.equal(drawn, 1)
  })

  await group.test('of two servers that draw at the same moment, one keeps its own', async (t) => {
    await Promise.all([oneServer(), oneServer()].map((each) => each.get({ ...wanted, widthPx: 640 })))
    t.equal((await keysOf()).length, 2, 'one of each width')
    let objects = 0
    for await (const _ of store.list()) objects += 1
    t.equal(objects, 3, 'the file and the two, and nothing that no row names')
  })

  await group.test('are kept in a few widths: asking for others does not fill the store', async (t) => {
    for (const widthPx of [65, 321, 2999]) await oneServer().get({ ...wanted, widthPx })
    t.equal((await keysOf()).length, 2)
  })

  await group.test('are drawn again when the store has lost them', async (t) => {
    for (const key of await keysOf()) await store.delete(key)
    const before = drawn
    t.match(await sharp(await oneServer().get({ ...wanted, widthPx: 320 })).metadata(), { width: 320 })
    t.equal(drawn, before + 1)
    await oneServer().get({ ...wanted, widthPx: 320 })
    t.equal(drawn, before + 1)
  })

  await group.test('are shown though they cannot be kept', async (t) => {
    const full = { ...store, put: () => Promise.reject(new Error('no room')) }
    const kept = createKeptPictures({ db, store: full, log: createLog({ level: 'silent', service: 'test' }) })
    const picture = await createPagePictures(store, kept, renderPage).get({ ...wanted, widthPx: 160 })
    t.match(await sharp(picture).metadata(), { width: 160 })
  })

  await group.test('a month old go by the retention rule, and all go with their document', async (t) => {
    const owner = ownerSql(t, server.ownerUrl)
    const erased = async () => (await owner`select storage_key from erased_objects`).map((row) => row['storage_key'])
    const [old = '', ...others] = (await keysOf()).toSorted()
    t.equal(others.length, 1)
    await owner`update page_pictures set created_at = now() - interval '31 days' where storage_key = ${old}`
    await serve(db, sql`select * from public.apply_retention(10)`)
    t.same(await keysOf(), others)
    t.ok((await erased()).includes(old), 'listed for deletion')

    await parent.remove(`/documents/${id}`)
    t.equal((await parent.get(`/documents/${id}/pages/1/image?width=320`)).status, 404, 'nor shown from the bin')
    await owner`update shell_files set deleted_at = now() - interval '31 days' where id = ${id}`
    await serve(db, sql`select public.purge_deleted_files(1)`)
    const gone = await erased()
    t.ok([old, ...others, wanted.storageKey].every((key) => gone.includes(key)))
    t.same(await keysOf(), [])
  })
})
