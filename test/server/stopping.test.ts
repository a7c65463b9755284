import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { z } from 'zod'
import { ask, startApp } from '../support/app.ts'
import { childEnv } from '../support/child-env.ts'
import { encodeForm, formType, pdf } from '../support/multipart.ts'
import { testDatabase } from '../support/postgres.ts'
import { head, openRaw } from '../support/raw-http.ts'
import { scratchRoot } from '../support/scratch.ts'

test('an upload that has begun is finished while the server stops, and nothing new is begun', async (t) => {
  const server = await startApp(t)
  const person = await server.account(randomUUID())
  const form = encodeForm([{ field: 'patient_id', value: person.profileId }, { file: pdf('while stopping') }])
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const arrived = new Promise<void>((resolve) => {
    server.app.server.once('request', () => resolve())
  })
  const lines = [
    'POST /documents/upload HTTP/1.1',
    'host: x',
    `authorization: ${person.headers.authorization}`,
    `content-type: ${formType}`,
    `content-length: ${form.byteLength}`,
  ]
  socket.write([...lines, '', ''].join('\r\n'))
  socket.write(form.subarray(0, 100))
  await arrived

  const closing = server.app.close()
  await t.rejects(fetch(`${server.url}/health`), 'no new connection is taken')
  socket.write(form.subarray(100))
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1.1 201 /)
  t.match(String(answer), /^connection: close/im, 'nobody sends more on a connection that closes')
  socket.end()
  await closing
  t.equal((await Array.fromAsync(server.store.list())).length, 1)
})

const listening = z.object({ event: z.literal('listening'), address: z.url() })

test('the server runs by itself, tells where, and stops when it is asked to', async (t) => {
  const { appUrl } = await testDatabase(t)
  const dataDir = await mkdtemp(join(scratchRoot(), 'exora-main-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const main = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main], {
    env: { ...childEnv, DATABASE_URL: appUrl, DATA_DIR: dataDir, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let address = ''
  for await (const line of createInterface({ input: child.stdout })) {
    const said = listening.safeParse(JSON.parse(line))
    if (!said.success) continue
    address = said.data.address
    break
  }
  t.match(await ask(`${address}/ready`), { status: 200, body: { status: 'ready' } })
  const up = await ask(`${address}/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ann@example.test', password: 'correct horse', name: 'Ann' }),
  })
  t.equal(up.status, 200)
  const session = { authorization: `Bearer ${up.headers.get('set-auth-token')}` }
  const { token } = (await ask(`${address}/auth/token`, { headers: session })).body
  const me = { authorization: `Bearer ${String(token)}` }
  const { profiles } = (await ask(`${address}/profiles`, { headers: me })).body
  const [own] = z.array(z.object({ id: z.uuid() })).parse(profiles)

  const form = encodeForm([{ field: 'patient_id', value: own?.id ?? '' }, { file: pdf('as it was told to stop') }])
  const upload = await openRaw(address)
  const length = `content-length: ${form.byteLength}`
  upload.say(
    head('POST /documents/upload', [
      `authorization: ${me.authorization}`,
      `content-type: ${formType}`,
      length,
      'expect: 100-continue',
    ]),
  )
  await upload.heard(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  upload.say(form.subarray(0, 150))
  child.kill('SIGTERM')
  while (await isAnswered(address)) await new Promise((resolve) => setImmediate(resolve))
  upload.say(form.subarray(150))
  const said = await upload.untilClosed()
  t.match(said, /HTTP\/1\.1 201 [^]*"shell_file_id"/, 'what had begun is finished')
  t.match(said, /\r\nconnection: close\r\n/i)
  t.same(await exited, [0, null])
})

const isAnswered = (address: string): Promise<boolean> =>
  fetch(`${address}/health`).then(
    () => true,
    () => false,
  )
