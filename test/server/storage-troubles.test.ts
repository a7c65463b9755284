import { equal } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { encodeForm, pdf } from '../support/multipart.ts'
import { openUpload } from '../support/open-upload.ts'
import { anotherServer } from '../support/resumable.ts'
import { eventually } from '../support/signals.ts'

test('a folder that cannot be written is told as such, and what is sent again afterwards is taken', async (t) => {
  const server = await startApp(t)
  const parent = await server.account(randomUUID())
  const taken = await parent.upload({ bytes: pdf('before') })
  const folder = join(server.config.dataDir, 'objects')
  // Neither rights nor a volume, which whoever runs the tests may pass by or may not make: something else is there.
  await rename(folder, `${folder}-away`)
  await writeFile(folder, '')
  const letter = { bytes: pdf('meanwhile'), key: 'k' }
  const refused = await parent.upload(letter)
  t.match(refused, { status: 500, body: { code: 'storage_refused' } })
  t.notMatch(refused.text, /objects|ENOTDIR/, 'its reader is told no path')
  t.match(JSON.stringify(server.logLines), /"code":"ENOTDIR"/, 'operators are told what it was')
  t.match((await parent.get('/ready')).status, 503)

  await rm(folder)
  await rename(`${folder}-away`, folder)
  t.match(await parent.upload(letter), { status: 201 })
  t.equal((await Array.fromAsync(server.store.list())).length, 2)
  t.match(await parent.get(`/documents/${String(taken.body['shell_file_id'])}`), { status: 200 })
})

test('while the store hangs, uploads wait, too many are asked to come back, and then all go on', async (t) => {
  const house = await startApp(t)
  const parent = await house.account(randomUUID())
  const hanging = Promise.withResolvers<void>()
  const store: TestApp['store'] = {
    ...house.store,
    put: async (source, limits) => {
      await hanging.promise
      return await house.store.put(source, limits)
    },
  }
  const uploads = { ...house.config.uploads, maxActive: 1, maxWaiting: 1 }
  const url = await anotherServer(t, { ...house, store, config: { ...house.config, uploads } })
  const begin = async (word: string, leftOut = 0) => {
    const form = encodeForm([{ field: 'patient_id', value: parent.profileId }, { file: pdf(word) }])
    const socket = await openUpload({ url }, { ...parent.headers, connection: 'close' }, form.byteLength)
    const answer = Array.fromAsync(socket, String).then((chunks) => chunks.join(''))
    answer.catch(() => {})
    socket.write(form.subarray(0, form.byteLength - leftOut))
    return { socket, answer }
  }
  const isBusy = (active: number, waiting: number) =>
    eventually(async () => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const found = [...text.matchAll(/^exora_uploads\{([^}]*)\} (\d+)$/gm)].map(([, labels = '', n]) => [labels, n])
      equal(Number(found.find(([labels]) => labels?.includes('active'))?.[1]), active)
      equal(Number(found.find(([labels]) => labels?.includes('waiting'))?.[1]), waiting)
    })

  const first = await begin('first')
  await isBusy(1, 0)
  const gone = await begin('gone', 10)
  await isBusy(1, 1)
  const refused = await (await begin('refused')).answer
  t.match(refused, /^HTTP\/1.1 503 /)
  t.match(refused, /retry-after: \d/)
  t.match(refused, /"code":"overloaded"/)

  // Whoever leaves while it waits makes room for another.
  gone.socket.destroy()
  await isBusy(1, 0)
  const second = await begin('second')
  await isBusy(1, 1)
  hanging.resolve()
  for (const { answer } of [first, second]) t.match(await answer, /^HTTP\/1.1 201 /)
  t.equal((await Array.fromAsync(house.store.list())).length, 2)
})
