import { test } from 'tap'
import { z } from 'zod'
import { ask, startApp } from '../support/app.ts'
import type { Answer } from '../support/app.ts'
import { ownerSql } from '../support/queue.ts'
import { totpOf } from '../support/totp.ts'

const password = 'correct horse battery'
const begun = z.object({ totp_uri: z.string(), backup_codes: z.array(z.string()) })

test('the second factor', async (group) => {
  const server = await startApp(group, { accounts: 'embedded' })
  const { url } = server
  const owner = ownerSql(group, server.ownerUrl)
  const post = (path: string, body: unknown, session?: string) =>
    ask(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    })
  const isOpen = async (session: string) =>
    (await ask(`${url}/auth/token`, { headers: { authorization: `Bearer ${session}` } })).status === 200
  const signUp = async (email: string) => sessionOf(await post('/auth/sign-up/email', { email, password, name: 'Ann' }))
  const enable = (session: string, with_ = password) => post('/auth/two-factor/enable', { password: with_ }, session)
  const signIn = (email: string) => post('/auth/sign-in/email', { email, password })
  const answer = (challenge: string, code: string) => post('/auth/sign-in/two-factor', { challenge, code })
  const wrongFor = (uri: string) => {
    const good = new Set([-1, 0, 1, 2].map((steps) => totpOf(uri, steps)))
    return Array.from({ length: 40 }, (_, n) => String(n).padStart(6, '0')).filter((code) => !good.has(code))
  }

  const email = 'ann@example.test'
  const first = await signUp(email)
  const { totp_uri: uri, backup_codes: backupCodes } = begun.parse((await enable(first)).body)
  const wrong = wrongFor(uri)
  /** The codes of this minute have been used by the tests before. */
  const forgetCodes = () => owner`delete from login.verifications where identifier = 'used code'`
  const challenge = async () => String((await signIn(email)).body['challenge'])
  const firstCode = totpOf(uri)
  let session = ''

  await group.test('it is on once a code of the app has come; what was opened without it ends', async (t) => {
    const half = await signIn(email)
    t.equal(half.status, 200, 'not yet: the app may never have seen the secret')
    const confirm = (code: string, as?: string) => post('/auth/two-factor/confirm', { code }, as)
    t.match(await confirm(totpOf(uri)), { status: 401 })
    t.match(await confirm(wrong[0] ?? '', first), { status: 422, body: { code: 'code_refused' } })
    const confirmed = await confirm(firstCode, first)
    t.equal(confirmed.status, 200)
    session = sessionOf(confirmed)
    t.equal(confirmed.body['token'], session)
    t.ok(await isOpen(session))
    t.notOk((await isOpen(first)) || (await isOpen(sessionOf(half))))
    t.match(
      await confirm(totpOf(uri), session),
      { status: 409, body: { code: 'two_factor_on' } },
      'no place to try codes',
    )
    const shown = await ask(`${url}/auth/get-session`, { headers: { authorization: `Bearer ${session}` } })
    t.match(shown.body, { user: { twoFactorEnabled: true } })
  })

  await group.test('the password is asked for wherever it is changed', async (t) => {
    for (const [what, as] of [
      ['enable', session],
      ['disable', session],
      ['backup-codes', session],
    ] as const) {
      const path = `/auth/two-factor/${what}`
      t.match(await post(path, { password: 'not this one' }, as), { status: 422, body: { code: 'password_refused' } })
      t.match(await post(path, { password }), { status: 401, body: { code: 'unauthenticated' } })
    }
    t.match(await enable(session), { status: 409, body: { code: 'two_factor_on' } })
  })

  await group.test('the password alone opens nothing; with a code of the app one is signed in', async (t) => {
    const half = await signIn(email)
    t.equal(half.status, 202)
    t.same(Object.keys(half.body), ['challenge'])
    t.equal(half.headers.get('set-auth-token'), null)
    const mine = String(half.body['challenge'])
    t.notOk(await isOpen(mine))
    t.match(await answer('invented.challenge', totpOf(uri)), { status: 401, body: { code: 'challenge_over' } })
    t.match(await answer(mine, wrong[1] ?? ''), { status: 422, body: { code: 'code_refused' } })
    const signedIn = await answer(mine, totpOf(uri, 1))
    t.match(signedIn, { status: 200, body: { user: { email } } })
    t.ok(await isOpen(sessionOf(signedIn)))
    t.match(await answer(mine, totpOf(uri)), { status: 401, body: { code: 'challenge_over' } })
    for (const body of [
      { challenge: mine, code: '12345' },
      { challenge: 'a; b=c', code: '123456' },
      { challenge: mine },
    ])
      t.equal((await post('/auth/sign-in/two-factor', body)).status, 400)
  })

  await group.test('a code that somebody saw is of no use to them', async (t) => {
    const [one, two] = [await challenge(), await challenge()]
    t.match(await answer(one, firstCode), { status: 422 }, 'nor the one that turned it on')
    await forgetCodes()
    const code = totpOf(uri)
    const both = await Promise.all([answer(one, code), answer(two, code)])
    t.same(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 422],
    )
    const three = await challenge()
    t.match(await answer(three, code), { status: 422, body: { code: 'code_refused' } })
    t.equal((await answer(three, totpOf(uri, 1))).status, 200, 'the next one is')
  })

  await group.test('the code of another account signs nobody in', async (t) => {
    const theirs = await signUp('bea@example.test')
    const other = begun.parse((await enable(theirs)).body)
    const mine = await challenge()
    t.match(await answer(mine, totpOf(other.totp_uri)), { status: 422, body: { code: 'code_refused' } })
    const [backup_code] = other.backup_codes
    t.match(await post('/auth/sign-in/two-factor', { challenge: mine, backup_code }), { status: 422 })
    const tried = await post('/auth/two-factor/confirm', { code: '123456' }, await signUp('cleo@example.test'))
    t.match(tried, { status: 409, body: { code: 'two_factor_off' } })
  })

  await group.test('a challenge ends after five wrong codes and after ten minutes', async (t) => {
    await forgetCodes()
    const [mine, late] = [await challenge(), await challenge()]
    for (const code of wrong.slice(0, 5)) t.match(await answer(mine, code), { status: 422 })
    t.match(await answer(mine, totpOf(uri)), { status: 401, body: { code: 'challenge_over' } })
    await owner`update login.verifications set expires_at = now() - interval '1 second' where identifier <> 'used code'`
    t.match(await answer(late, totpOf(uri, 1)), { status: 401, body: { code: 'challenge_over' } })
  })

  await group.test('guessing codes ends after ten, also when all come at once', async (t) => {
    await forgetCodes()
    await owner`update login.two_factors set failed_verification_count = 7`
    const guesses = wrong.slice(0, 5)
    const challenges = await Promise.all([...guesses, ''].map(challenge))
    const answers = await Promise.all(guesses.map((code, n) => answer(challenges[n] ?? '', code)))
    t.equal(answers.filter(({ status }) => status === 422).length, 3)
    const rest = answers.filter(({ status }) => status !== 422)
    t.ok(rest.every(({ status, body }) => status === 429 && body['code'] === 'too_many_requests'))
    t.ok(rest.every(({ headers }) => Number(headers.get('retry-after')) > 3_500))
    const left = challenges.at(-1) ?? ''
    t.match(await answer(left, totpOf(uri)), { status: 429 }, 'the right one as well')
    t.ok(await isOpen(session), 'who is signed in goes on')
    await owner`update login.two_factors set locked_until = now() - interval '1 second' where locked_until is not null`
    t.equal((await answer(left, totpOf(uri, 1))).status, 200, 'after its hour')
    const [row] = await owner`
      select failed_verification_count as failures, locked_until from login.two_factors as factor
      join login.users as login_user on login_user.id = factor.user_id where email = ${email}`
    t.same({ ...row }, { failures: 0, locked_until: null })
  })

  await group.test('who has lost the app signs in with a backup code, each once', async (t) => {
    const [code = '', second = ''] = backupCodes
    const use = (backupCode: string, with_: string) =>
      post('/auth/sign-in/two-factor', { challenge: with_, backup_code: backupCode })
    const [one, two, three] = [await challenge(), await challenge(), await challenge()]
    const both = await Promise.all([use(code, one), use(code, two)])
    t.equal(both.filter(({ status }) => status === 200).length, 1)
    t.match(await use(code, three), { status: 422, body: { code: 'code_refused' } })
    const renewed = await post('/auth/two-factor/backup-codes', { password }, session)
    const codes = z.object({ backup_codes: z.array(z.string()) }).parse(renewed.body).backup_codes
    t.match(await use(second, three), { status: 422 }, 'the old ones are over')
    t.equal((await use(codes[0] ?? '', three)).status, 200)
  })

  await group.test('a new password is no way around it, and ends a sign-in that is half done', async (t) => {
    await forgetCodes()
    const mine = await challenge()
    const code = totpOf(uri)
    t.match(await answer(mine, code), { status: 200 })
    const half = await challenge()
    await owner`
      update login.accounts as way set password = password || ''
      from login.users as login_user where login_user.id = way.user_id and email = ${email}`
    t.ok(await isOpen(session), 'the same is no new one')
    const changed = await post('/auth/change-password', { current_password: password, new_password: password }, session)
    t.match(await answer(half, totpOf(uri, 1)), { status: 401, body: { code: 'challenge_over' } })
    const again = await challenge()
    t.match(await answer(again, code), { status: 422 }, 'a used code stays used')
    session = sessionOf(changed)
  })

  await group.test('turning it off ends every other session, and the password is enough again', async (t) => {
    await forgetCodes()
    const other = sessionOf(await answer(await challenge(), totpOf(uri)))
    const off = await post('/auth/two-factor/disable', { password }, session)
    t.equal(off.status, 200)
    t.ok(await isOpen(sessionOf(off)))
    t.notOk((await isOpen(session)) || (await isOpen(other)))
    t.equal((await signIn(email)).status, 200)
  })

  await group.test('a factor that is on is not replaced by who begins anew at that moment', async (t) => {
    const [row] = await owner`update login.two_factors set verified = true returning id`
    const again = owner`update login.two_factors set secret = 'other', verified = false where id = ${row?.['id']}`
    await t.rejects(again, { code: '55000' })
  })

  await group.test('secrets and codes are kept encrypted and are in no log', async (t) => {
    const made = begun.parse((await enable(await signUp('dora@example.test'))).body)
    const rows = JSON.stringify(await owner`select * from login.two_factors`)
    const logged = JSON.stringify(server.logLines)
    const secret = new URL(made.totp_uri).searchParams.get('secret') ?? ''
    for (const word of [secret, ...made.backup_codes]) t.notOk(rows.includes(word))
    for (const word of [secret, ...made.backup_codes, ...backupCodes, totpOf(uri)]) t.notOk(logged.includes(word))
  })
})

const sessionOf = (answer: Answer) => String(answer.headers.get('set-auth-token'))
