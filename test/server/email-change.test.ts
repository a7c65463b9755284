import { decodeJwt } from 'jose'
import { test } from 'tap'
import { ask, startApp } from '../support/app.ts'
import type { Answer } from '../support/app.ts'
import { ownerSql } from '../support/queue.ts'
import { stageRunner } from '../support/stage-runner.ts'
import type { MailMessage } from '../../worker/providers/mail/provider.ts'

const password = 'correct horse battery'

test('an account moves to another address', async (group) => {
  const server = await startApp(group, { accounts: 'embedded' })
  const { url } = server
  const owner = ownerSql(group, server.ownerUrl)
  const sent: MailMessage[] = []
  const send = async (message: MailMessage) => {
    sent.push(message)
    return null
  }
  const runner = await stageRunner(group, server.db, { mail: { send } })
  const post = (path: string, body: unknown, session?: string) =>
    ask(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    })
  const tokenOf = (session: string) => ask(`${url}/auth/token`, { headers: { authorization: `Bearer ${session}` } })
  const isOpen = async (session: string) => (await tokenOf(session)).status === 200
  const signUp = async (email: string) => sessionOf(await post('/auth/sign-up/email', { email, password, name: 'Ann' }))
  const signIn = (email: string) => post('/auth/sign-in/email', { email, password })
  const change = (session: string | undefined, newEmail: string, with_ = password) =>
    post('/auth/change-email', { password: with_, new_email: newEmail }, session)
  const confirm = (session: string | undefined, newEmail: string, token: string) =>
    post('/auth/change-email/confirm', { new_email: newEmail, token }, session)
  /** What was sent for it; empty when nothing was. */
  const secretFor = async (session: string, newEmail: string) => {
    const before = sent.length
    const answer = await change(session, newEmail)
    if (answer.status !== 202) throw new Error(answer.text)
    await runner.runAll()
    return sent.slice(before).find(({ email }) => email === newEmail.toLowerCase())?.token ?? ''
  }
  const [ann, bea] = [await signUp('ann@example.test'), await signUp('bea@example.test')]

  await group.test('it takes the password, and the secret that went to the new address', async (t) => {
    t.match(await change(undefined, 'new@example.test'), { status: 401, body: { code: 'unauthenticated' } })
    t.match(await change(ann, 'new@example.test', 'not this one'), { status: 422, body: { code: 'password_refused' } })
    const other = sessionOf(await signIn('ann@example.test'))
    const secret = await secretFor(ann, 'New@Example.test')
    t.match(sent.at(-1), { kind: 'email_change', email: 'new@example.test', name: null })
    t.equal((await signIn('ann@example.test')).status, 200, 'nothing has changed yet')

    t.match(await confirm(undefined, 'new@example.test', secret), { status: 401 })
    t.match(await confirm(bea, 'new@example.test', secret), { status: 422, body: { code: 'secret_refused' } })
    t.match(await confirm(ann, 'else@example.test', secret), { status: 422 }, 'proves one address alone')
    t.match(await confirm(ann, 'new@example.test', 'invented'), { status: 422 })
    const both = await Promise.all([secret, secret].map((one) => confirm(ann, 'NEW@example.test', one)))
    t.same(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [204, 422],
    )
    t.ok(await isOpen(ann))
    t.notOk(await isOpen(other), 'other sessions have ended')
    t.match(await signIn('ann@example.test'), { status: 401 })
    t.equal((await signIn('new@example.test')).status, 200)
    t.match(decodeJwt(String((await tokenOf(ann)).body['token'])), { email: 'new@example.test' })
    const [mirrored] = await owner`
      select account.email = login_user.email as same, email_verified
      from auth.users as account join login.users as login_user using (id) where name = 'Ann' and login_user.email like 'new%'`
    t.same({ ...mirrored }, { same: true, email_verified: true })
  })

  await group.test('the old address is told, without a secret', async (t) => {
    await runner.runAll()
    t.match(sent.at(-1), { kind: 'email_changed', email: 'ann@example.test', token: null, expiresAt: null })
  })

  await group.test('whether an address is somebody’s shows nowhere', async (t) => {
    const before = sent.length
    const [taken, free] = [await change(ann, 'bea@example.test'), await change(ann, 'free@example.test')]
    t.equal(taken.status, 202)
    t.same([taken.status, taken.text], [free.status, free.text])
    t.same(await runner.runAll(), ['deliver_message', 'deliver_message'])
    t.same(
      sent.slice(before).map(({ email }) => email),
      ['free@example.test'],
    )
  })

  await group.test('a secret that went to the old address is over', async (t) => {
    const session = await signUp('cleo@example.test')
    await post('/auth/request-password-reset', { email: 'cleo@example.test' })
    await runner.runAll()
    const reset = String(sent.at(-1)?.token)
    t.equal(
      (await confirm(session, 'cleo-2@example.test', await secretFor(session, 'cleo-2@example.test'))).status,
      204,
    )
    t.match(await post('/auth/reset-password', { token: reset, new_password: 'another horse' }), { status: 422 })
    t.match(await post('/auth/reset-password', { token: '', new_password: 'another horse' }), { status: 400 })
  })

  await group.test('a secret for another address resets no password, and one of a reset moves nobody', async (t) => {
    const session = await signUp('dora@example.test')
    const secret = await secretFor(session, 'dora-2@example.test')
    t.match(await post('/auth/reset-password', { token: secret, new_password: 'another horse' }), { status: 422 })
    await post('/auth/request-password-reset', { email: 'dora@example.test' })
    await runner.runAll()
    t.match(await confirm(session, 'dora-2@example.test', String(sent.at(-1)?.token)), { status: 422 })
    t.equal((await confirm(session, 'dora-2@example.test', secret)).status, 204)
  })

  await group.test('of two who prove an address one has it, and the other stays where they were', async (t) => {
    const [emil, fay] = [await signUp('emil@example.test'), await signUp('fay@example.test')]
    const wanted = 'family@example.test'
    const [hers, his] = [await secretFor(fay, wanted), await secretFor(emil, wanted)]
    const both = await Promise.all([confirm(fay, wanted, hers), confirm(emil, wanted, his)])
    t.same(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [204, 422],
    )
    t.match(both.find(({ status }) => status === 422)?.body, { code: 'email_taken' })
    t.ok((await isOpen(emil)) && (await isOpen(fay)))
  })

  await group.test('strangers do not use up the mails to an address, nor send many there', async (t) => {
    const strangersAskFor = async (address: string, names: readonly string[]) => {
      for (const name of names)
        await owner`
          with stranger as (insert into login.users (name, email) values ('Win', ${`${name}@example.test`}) returning id)
          select public.request_account_message('email_change', ${address}, id) from stranger, generate_series(1, 3)`
      const before = sent.length
      await runner.runAll()
      return sent.slice(before).filter(({ email }) => email === address).length
    }
    const wanted = 'wanted@example.test'
    t.equal(await strangersAskFor(wanted, ['hal', 'ida', 'jo']), 9)
    const kim = await signUp('kim@example.test')
    t.equal((await confirm(kim, wanted, await secretFor(kim, wanted))).status, 204)
    await owner`
      update system_configuration set config_value = '4' where config_key = 'accounts.messages_to_address_per_hour'`
    t.equal(await strangersAskFor('bombed@example.test', ['lou', 'mia']), 4, 'and no asker is told')
    t.equal(await strangersAskFor(wanted, ['nan', 'oda']), 0, 'it has an account now')
    await post('/auth/request-password-reset', { email: wanted })
    await runner.runAll()
    t.match(sent.at(-1), { kind: 'password_reset', email: wanted }, 'whose holder is still sent a reset')
  })

  await group.test('an account asks for a few an hour, and for more once it has moved', async (t) => {
    const session = await signUp('gil@example.test')
    const asked = await Promise.all([1, 2, 3, 4, 5].map((n) => change(session, `gil-${n}@example.test`)))
    t.equal(asked.filter(({ status }) => status === 202).length, 3)
    t.match(
      asked.find(({ status }) => status !== 202),
      { status: 429, body: { code: 'too_many_requests' } },
    )
    await runner.runAll()
    const { email = '', token } = sent.findLast(({ email: to }) => to.startsWith('gil-')) ?? {}
    t.equal((await confirm(session, email, token ?? '')).status, 204)
    t.equal((await change(session, 'gil@example.test')).status, 202)
    for (const trick of ['\u212Aim@example.test', 'a@example.test\u0000', ' ', 'a b@example.test'])
      t.match(await change(session, trick), { status: 400, body: { code: 'invalid_request' } })
  })
})

const sessionOf = (answer: Answer) => String(answer.headers.get('set-auth-token'))
