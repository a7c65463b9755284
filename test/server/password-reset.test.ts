import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { createMail } from '../../worker/providers/mail/index.ts'
import { serve } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import type { Answer } from '../support/app.ts'
import { ownerSql } from '../support/queue.ts'
import { scratchRoot } from '../support/scratch.ts'
import { stageRunner } from '../support/stage-runner.ts'

const password = 'correct horse battery'
const letter = z.object({
  message_id: z.uuid(),
  kind: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  token: z.string(),
})

test('a forgotten password', async (group) => {
  const server = await startApp(group, { accounts: 'embedded' })
  const { url, db } = server
  const owner = ownerSql(group, server.ownerUrl)
  const folder = await mkdtemp(join(scratchRoot(), 'exora-messages-'))
  group.teardown(() => rm(folder, { recursive: true, force: true }))
  const mail = createMail({ webhook: null, folder: join(folder, 'messages'), environment: 'test' })
  const runner = await stageRunner(group, db, { mail })
  const post = (path: string, body: unknown, session?: string) =>
    ask(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    })
  const signUp = async (email: string) => sessionOf(await post('/auth/sign-up/email', { email, password, name: 'Ann' }))
  const signIn = (email: string, with_: string) => post('/auth/sign-in/email', { email, password: with_ })
  const isOpen = async (session: string) =>
    (await ask(`${url}/auth/token`, { headers: { authorization: `Bearer ${session}` } })).status === 200
  const askFor = (email: string) => post('/auth/request-password-reset', { email })
  const reset = (token: string, newPassword: string) =>
    post('/auth/reset-password', { token, new_password: newPassword })
  const letters = async () => {
    const names = await readdir(join(folder, 'messages')).catch(() => [])
    const texts = names
      .toSorted((a, b) => a.localeCompare(b))
      .map((name) => readFile(join(folder, 'messages', name), 'utf8'))
    return (await Promise.all(texts)).map((text) => letter.parse(JSON.parse(text)))
  }
  const tokenSent = async (email: string) => {
    await askFor(email)
    await runner.runAll()
    return (await letters()).findLast((sent) => sent.email === email)?.token ?? ''
  }

  await group.test(
    'who asks cannot tell whether the address has an account, and only its holder is written to',
    async (t) => {
      await signUp('ann@example.test')
      const [known, unknown] = [await askFor('ann@example.test'), await askFor('nobody@example.test')]
      t.equal(known.status, 202)
      t.same([unknown.status, unknown.text], [known.status, known.text])
      const rows = await owner`
      select job_type, job_lane, priority, patient_id, initiated_by, jsonb_object_keys(job_payload) as key
      from job_queue`
      t.equal(rows.length, 2)
      t.same(rows[0], rows[1], 'the same work is left for both')
      t.same(await runner.runAll(), ['deliver_message', 'deliver_message'])
      t.match(await letters(), [{ kind: 'password_reset', email: 'ann@example.test', name: null }])
      t.equal((await letters()).length, 1)
    },
  )

  await group.test('the new password ends every session, and the secret serves once', async (t) => {
    const email = 'bea@example.test'
    const session = await signUp(email)
    const token = await tokenSent(email)
    t.match(await reset(token, 'short'), { status: 400 })
    t.equal((await reset(token, 'another horse')).status, 204)
    t.notOk(await isOpen(session))
    t.match(await signIn(email, password), { status: 401, body: { code: 'sign_in_refused' } })
    t.equal((await signIn(email, 'another horse')).status, 200)
    t.match(await reset(token, 'a third horse'), { status: 422, body: { code: 'secret_refused' } })
    t.match(await reset('invented', 'a third horse'), { status: 422, body: { code: 'secret_refused' } })
    t.equal((await signIn(email, 'another horse')).status, 200)
  })

  await group.test('of two resets at once one counts, and every other secret of the account is over', async (t) => {
    const email = 'cleo@example.test'
    await signUp(email)
    const [first, second] = [await tokenSent(email), await tokenSent(email)]
    t.not(first, second)
    const both = await Promise.all([reset(first, 'password one'), reset(first, 'password two')])
    t.same(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [204, 422],
    )
    for (const token of [first, second]) t.match(await reset(token, 'password three'), { status: 422 })
    const signedIn = await Promise.all([signIn(email, 'password one'), signIn(email, 'password two')])
    t.same(
      signedIn.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 401],
    )
  })

  await group.test('a secret changes the password of its own account alone', async (t) => {
    await Promise.all([signUp('dora@example.test'), signUp('emil@example.test')])
    const token = await tokenSent('dora@example.test')
    t.equal(
      (await post('/auth/reset-password', { token, new_password: 'another horse', email: 'emil@example.test' })).status,
      204,
    )
    t.equal((await signIn('emil@example.test', password)).status, 200)
    t.equal((await signIn('dora@example.test', 'another horse')).status, 200)
  })

  await group.test('after its hour a secret is over', async (t) => {
    const email = 'fay@example.test'
    await signUp(email)
    const token = await tokenSent(email)
    const [proof] = await owner`
      select id, expires_at - created_at = interval '1 hour' as an_hour
      from login.verifications order by created_at desc limit 1`
    t.match(proof, { an_hour: true })
    await owner`update login.verifications set expires_at = now() - interval '1 second' where id = ${proof?.['id']}`
    t.match(await reset(token, 'another horse'), { status: 422, body: { code: 'secret_refused' } })
    t.equal((await signIn(email, password)).status, 200)
  })

  await group.test(
    'the secret is kept as a hash, which opens nothing, and its letter is its owner’s to read',
    async (t) => {
      const email = 'gil@example.test'
      await signUp(email)
      const token = await tokenSent(email)
      const [proof] = await owner`select identifier from login.verifications order by created_at desc limit 1`
      t.notOk(String(proof?.['identifier']).includes(token))
      t.match(await reset(String(proof?.['identifier']), 'another horse'), { status: 422 })
      const [name = ''] = await readdir(join(folder, 'messages'))
      t.equal((await stat(join(folder, 'messages', name))).mode & 0o777, 0o600)
      t.equal((await stat(join(folder, 'messages'))).mode & 0o777, 0o700)
      const kept = await serve(db, sql`select to_jsonb(job)::text as job from public.job_queue as job`)
      const errors = await serve(db, sql`select to_jsonb(error)::text as error from public.processing_errors as error`)
      const everywhere = JSON.stringify([kept, errors, server.logLines])
      for (const word of [token, email, password]) t.notOk(everywhere.includes(word), 'neither in jobs nor in the log')
    },
  )

  await group.test(
    'an address is written to a few times an hour, whoever asks and however it is written',
    async (t) => {
      const email = 'hal@example.test'
      await signUp(email)
      const spellings = [email, 'HAL@example.test', 'Hal@Example.Test', email]
      const answers = await Promise.all([...spellings, ...spellings].map(askFor))
      t.equal(answers.filter(({ status }) => status === 202).length, 6)
      t.match(
        answers.find(({ status }) => status !== 202),
        { status: 429, body: { code: 'too_many_requests' } },
      )
      const unknown = await Promise.all(Array.from({ length: 7 }, () => askFor('none@example.test')))
      t.same(
        unknown.map(({ status }) => status).toSorted((a, b) => a - b),
        [202, 202, 202, 202, 202, 202, 429],
        'as for an address of nobody',
      )
      await runner.runAll()
      t.equal((await letters()).filter((sent) => sent.email === email).length, 3)
      // The Kelvin sign, which lower-cases to k; a dotless i; a letter that looks like another.
      for (const trick of ['\u212Aim@example.test', 'h\u0131l@example.test', 'h\u0430l@example.test'])
        t.match(await askFor(trick), { status: 400, body: { code: 'invalid_request' } })
    },
  )

  await group.test(
    'mails from before the password was set anew do not count, and then name their reader',
    async (t) => {
      const email = 'kim@example.test'
      await signUp(email)
      for (let n = 0; n < 3; n += 1) await askFor(email)
      await runner.runAll()
      const before = (await letters()).filter((sent) => sent.email === email)
      t.same(new Set(before.map(({ name }) => name)), new Set([null]), 'anybody may have signed up with this address')
      t.equal((await reset(before[0]?.token ?? '', 'another horse')).status, 204)
      const token = await tokenSent(email)
      t.notOk(before.some((sent) => sent.token === token))
      t.match(
        (await letters()).find((sent) => sent.token === token),
        { name: 'Ann' },
      )
      t.equal((await reset(token, 'a third horse')).status, 204)
    },
  )

  await group.test('what is handed over twice is one message, and both its secrets are good', async (t) => {
    const email = 'ida@example.test'
    await signUp(email)
    await askFor(email)
    t.equal(await runner.dieInOne(), 'deliver_message', 'handed over, and killed before that was written down')
    const [before] = (await letters()).filter((sent) => sent.email === email)
    await owner`update job_queue set lease_expires_at = now() - interval '1 second' where status = 'processing'`
    await serve(db, sql`select * from public.rescue_stale_jobs()`)
    await owner`update job_queue set scheduled_at = now() where status = 'pending'`
    await runner.runAll()
    const after = (await letters()).filter((sent) => sent.email === email)
    t.match(after, [{ message_id: before?.message_id ?? '' }])
    t.not(after[0]?.token, before?.token)
    t.equal((await reset(before?.token ?? '', 'another horse')).status, 204)
  })

  await group.test('an account that is gone is not written to, and a secret of it is over', async (t) => {
    const email = 'jo@example.test'
    await signUp(email)
    const token = await tokenSent(email)
    await owner`delete from login.users where email = ${email}`
    t.match(await reset(token, 'another horse'), { status: 422, body: { code: 'secret_refused' } })
    t.equal(await tokenSent(email), token, 'no further letter')
    t.match(await signIn(email, password), { status: 401, body: { code: 'sign_in_refused' } })
  })
})

const sessionOf = (answer: Answer) => String(answer.headers.get('set-auth-token'))
