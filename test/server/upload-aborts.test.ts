import { equal } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { encodeForm, pdf } from '../support/multipart.ts'
import { openUpload } from '../support/open-upload.ts'
import { eventually } from '../support/signals.ts'

test('an upload that is broken off, wherever it is', async (suite) => {
  const server = await startApp(suite, { env: { UPLOAD_MAX_MB: '1' } })
  const parent = await server.account(randomUUID())
  const bytes = Buffer.concat([pdf('broken off'), Buffer.alloc(300_000, 65)])
  const form = encodeForm([{ field: 'patient_id', value: parent.profileId }, { file: bytes }])
  const fileAt = form.indexOf(bytes.subarray(0, 8))
  const send = (key: string) => openUpload(server, { ...parent.headers, 'idempotency-key': key }, form.byteLength)

  const places = {
    'after the head': 0,
    'within the fields': fileAt - 50,
    'before the first byte of the file': fileAt,
    'within the first bytes of the file': fileAt + 20,
    'in the middle of the file': fileAt + 150_000,
    'before the last boundary': fileAt + bytes.byteLength,
    'within the last boundary': form.byteLength - 3,
    'before the last byte': form.byteLength - 1,
  }
  for (const [place, length] of Object.entries(places)) {
    await suite.test(`${place}: nothing is left, and its key is free`, async (t) => {
      const socket = await send(place)
      t.teardown(() => socket.destroy())
      socket.write(form.subarray(0, length))
      if (length > fileAt) await eventually(async () => equal((await countsOf(server, place)).keys, 1))
      socket.destroy()
      await eventually(async () => equal(await underWay(server), 0))
      t.same(await countsOf(server, place), { files: 0, jobs: 0, charges: 0, keys: 0, stored: 0 })
    })
  }

  await suite.test('after the last byte: it is taken, once, and whoever comes back has its answer', async (t) => {
    const socket = await send('all')
    socket.write(form)
    await eventually(async () => equal((await countsOf(server, 'all')).files, 1))
    socket.destroy()
    const again = await send('all')
    again.write(form)
    const [answer] = await once(again, 'data')
    again.destroy()
    t.match(String(answer), /^HTTP\/1.1 201 /)
    t.match(String(answer), /idempotent-replayed: true/)
    t.same(await countsOf(server, 'all'), { files: 1, jobs: 1, charges: 1, keys: 1, stored: 1 })
  })

  await suite.test('a file that is announced too large is refused before it is sent', async (t) => {
    const socket = await openUpload(server, parent.headers, 2_000_000)
    t.teardown(() => socket.destroy())
    const [answer] = await once(socket, 'data')
    t.match(String(answer), /^HTTP\/1.1 413 /)
    t.match(String(answer), /file_too_large/)
  })
})

async function countsOf({ db, config }: TestApp, key: string) {
  const [row] = await serve<{ files: number; jobs: number; charges: number; keys: number }>(
    db,
    sql`
      select
        (select count(*)::int from shell_files) as files,
        (select count(*)::int from job_queue) as jobs,
        (select count(*)::int from usage_events where shell_files = 1) as charges,
        (select count(*)::int from idempotency_keys where idempotency_key = ${key}) as keys`,
  )
  const stored = await readdir(config.dataDir, { recursive: true, withFileTypes: true })
  return { ...row, stored: stored.filter((entry) => entry.isFile() && entry.parentPath.includes('objects')).length }
}

/** Uploads that the server is busy with, by its own metrics. */
async function underWay({ url }: TestApp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = [...text.matchAll(/^exora_uploads\{[^}]*\} (\d+)$/gm)].map(([, count]) => Number(count))
  if (found.length === 0) throw new Error('no metric of uploads')
  return found.reduce((sum, count) => sum + count, 0)
}
