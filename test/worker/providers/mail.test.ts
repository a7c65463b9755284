import { createHmac } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { ConfigurationError } from '../../../platform/env.ts'
import { readWorkerConfig } from '../../../worker/config.ts'
import { createMail } from '../../../worker/providers/mail/index.ts'
import { enqueueJob, ownerSql, serviceSql } from '../../support/queue.ts'
import { testDatabase } from '../../support/postgres.ts'
import { scratchRoot } from '../../support/scratch.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import { startWebhookServer } from '../../support/webhook-server.ts'

const secret = 'a-secret-of-the-receiver'
const email = 'ann@example.test'

test('the operator’s mail service is told in a signed message, again until it takes it', async (t) => {
  const database = await testDatabase(t)
  const service = serviceSql(t, database.appUrl)
  const owner = ownerSql(t, database.ownerUrl)
  await owner`insert into login.users (name, email, email_verified) values ('Ann', ${email}, true)`
  await service`select public.request_account_message('password_reset', ${email})`
  const receiver = await startWebhookServer(t, 'fails', 'takes')
  const mail = createMail({ webhook: { url: receiver.url, secret }, folder: '/nowhere', environment: 'test' })
  const runner = await stageRunner(t, database.db, { mail })

  t.match(await runner.runOne(), { type: 'deliver_message', settled: 'retrying' })
  const [failed] = await owner`select error_details::text as details from job_queue`
  t.match(failed?.['details'], /message_not_delivered/)
  await owner`update job_queue set scheduled_at = now()`
  t.match(await runner.runOne(), { type: 'deliver_message', settled: 'completed' })
  const [message] = await owner`select id from login.messages`
  await enqueueJob(service, { type: 'deliver_message', payload: { message_id: message?.['id'] } })
  t.match(await runner.runOne(), { settled: 'completed' }, 'and once more, as an operator might')

  t.equal(receiver.told.length, 2, 'what was taken is not told again')
  const [first, second] = receiver.told.map(({ body }) => JSON.parse(body) as Record<string, string>)
  t.match(second, { kind: 'password_reset', email, name: 'Ann', environment: 'test', expires_at: /Z$/ })
  t.same(Object.keys(second ?? {}).length, 7)
  t.not(first?.['token'], second?.['token'])
  const [one, two] = receiver.told.map(({ headers }) => headers)
  t.equal(one?.['webhook-id'], two?.['webhook-id'], 'known by its id')
  const signed = `${String(two?.['webhook-id'])}.${String(two?.['webhook-timestamp'])}.${receiver.told[1]?.body}`
  t.equal(two?.['webhook-signature'], `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`)
  const kept = JSON.stringify(await owner`select to_jsonb(job) from job_queue as job`)
  const errors = JSON.stringify(await owner`select to_jsonb(error) from processing_errors as error`)
  for (const word of [email, first?.['token'], second?.['token']]) {
    t.notOk(kept.includes(String(word)))
    t.notOk(errors.includes(String(word)))
  }
})

test('files that are a day old go when the next is written', async (t) => {
  const folder = await mkdtemp(join(scratchRoot(), 'exora-messages-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const message = {
    id: 'of-today',
    kind: 'password_reset',
    email,
    name: 'Ann',
    expiresAt: '2026-01-01T00:00:00.000Z',
  }
  const yesterday = new Date(Date.now() - 25 * 3_600_000)
  await writeFile(join(folder, 'of-yesterday.json'), '{}')
  await utimes(join(folder, 'of-yesterday.json'), yesterday, yesterday)
  const mail = createMail({ webhook: null, folder, environment: 'test' })
  t.equal(await mail.send({ ...message, token: 'secret' }, AbortSignal.timeout(5_000)), null)
  t.same(await readdir(folder), ['of-today.json'])
  t.match(JSON.parse(await readFile(join(folder, 'of-today.json'), 'utf8')), { token: 'secret', email })
})

test('a mail service without a secret is refused, since anybody could have mail sent', (t) => {
  const url = 'https://mail.example/exora'
  t.throws(() => readWorkerConfig({ MESSAGE_WEBHOOK_URL: url }), ConfigurationError)
  t.same(readWorkerConfig({ MESSAGE_WEBHOOK_URL: url, MESSAGE_WEBHOOK_SECRET: secret }).messageWebhook, { url, secret })
  t.equal(readWorkerConfig({}).messageWebhook, null)
  t.end()
})
