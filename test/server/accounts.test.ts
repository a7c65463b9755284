import { decodeJwt, decodeProtectedHeader } from 'jose'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { serve } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'

const person = { email: 'ann@example.test', password: 'correct horse battery', name: 'Ann' }

test('accounts of our own', async (group) => {
  const server = await startApp(group, { accounts: 'embedded', hashing: 'as in production' })
  const { url, db } = server
  const post = (path: string, body: unknown, headers = {}) =>
    ask(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const get = (path: string, token: string | null) =>
    ask(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })

  await group.test('signing up, signing in and a token lead to a profile of one’s own', async (t) => {
    const up = await post('/auth/sign-up/email', person)
    t.equal(up.status, 200)
    t.match(up.body, { user: { email: person.email, name: 'Ann' } })
    t.equal(up.headers.get('set-cookie'), null, 'there are no cookies')

    const signedIn = await post('/auth/sign-in/email', { email: person.email, password: person.password })
    const session = signedIn.headers.get('set-auth-token')
    t.ok(session)
    const { body } = await get('/auth/token', session)
    const token = String(body['token'])
    const claims = decodeJwt(token)
    t.match(claims, { role: 'authenticated', iss: 'exora', aud: 'authenticated' })
    t.equal(Number(claims.exp) - Number(claims.iat), 900)
    t.equal(decodeProtectedHeader(token).alg, 'ES256')

    const { body: listed } = await get('/profiles', token)
    t.match(listed, { profiles: [{ display_name: 'Ann', profile_type: 'self', is_own: true }] })
    const [row] = await serve<{ same: boolean }>(
      db,
      sql`select id = account_owner_id as same from public.user_profiles where account_owner_id = ${claims.sub}`,
    )
    t.match(row, { same: false })
    t.match((await get('/auth/get-session', session)).body, { user: { email: person.email } })
  })

  await group.test('the session is no token for the API, and the token is no session', async (t) => {
    const { headers } = await post('/auth/sign-in/email', person)
    const session = headers.get('set-auth-token')
    t.equal((await get('/profiles', session)).status, 401)
    const { body } = await get('/auth/token', session)
    t.equal((await get('/auth/token', String(body['token']))).status, 401)
    t.equal((await get('/auth/token', 'invented.token')).status, 401)
    t.equal((await post('/auth/sign-out', {}, { authorization: `Bearer ${session}` })).status, 200)
    t.equal((await get('/auth/token', session)).status, 401, 'after signing out')
  })

  await group.test('who reads the table of sessions gets into none', async (t) => {
    const { body, headers } = await post('/auth/sign-in/email', person)
    t.equal(body['token'], headers.get('set-auth-token'), 'the session is told with its signature')
    t.equal((await get('/auth/token', String(body['token']))).status, 200)
    const rows = await db.sql<{ id: string; token: string }[]>`select id, token from login.sessions`
    for (const { id, token } of rows) {
      for (const tried of [token, `${token}.`, `${token}.${token}`, id])
        t.equal((await get('/auth/token', tried)).status, 401)
    }
  })

  await group.test('wrong passwords and unknown addresses are told alike', async (t) => {
    const wrong = await post('/auth/sign-in/email', { email: person.email, password: 'not this one' })
    const unknown = await post('/auth/sign-in/email', { email: 'nobody@example.test', password: 'not this one' })
    t.match(wrong, { status: 401, body: { code: 'sign_in_refused' } })
    t.same({ ...unknown.body, correlation_id: 0 }, { ...wrong.body, correlation_id: 0 })
  })

  await group.test('an address serves once, and what cannot be an account is refused by field', async (t) => {
    t.match(await post('/auth/sign-up/email', person), { status: 422, body: { code: 'email_taken' } })
    for (const [path, body] of [
      ['email', { ...person, email: 'not an address' }],
      ['password', { ...person, email: 'b@example.test', password: 'short' }],
      ['name', { ...person, email: 'b@example.test', name: ' ' }],
    ] as const) {
      const answer = await post('/auth/sign-up/email', body)
      t.match(answer, { status: 400, body: { code: 'invalid_request', errors: [{ path }] } })
    }
    t.match(await post('/auth/sign-up/email', 'text'), { status: 400 })
    t.equal((await ask(`${url}/auth/update-user`, { method: 'POST' })).status, 404, 'nothing else is shown')
  })

  await group.test('only public keys are shown, and the private ones are kept encrypted', async (t) => {
    const { body, text } = await ask(`${url}/auth/jwks`)
    t.match(body, { keys: [{ kty: 'EC', alg: 'ES256', use: 'sig' }] })
    t.notOk(/"d"|private/i.test(text))
    const kept = await db.sql<{ password: string }[]>`select password from login.accounts`
    t.ok(
      kept.every(({ password }) => /^[0-9a-f]{32}:[0-9a-f]{128}$/.test(password)),
      'of passwords a salted scrypt hash',
    )
    const rows = await db.sql<{ private_key: string }[]>`select private_key from login.keys`
    t.notOk(rows.some((row) => row.private_key.includes('"d"')))
  })

  await group.test('sessions are listed without their keys and ended one by one, by nobody else', async (t) => {
    const signIn = async () => String((await post('/auth/sign-in/email', person)).headers.get('set-auth-token'))
    const [phone, laptop] = [await signIn(), await signIn()]
    const other = await post('/auth/sign-up/email', { ...person, email: 'other@example.test' })
    const stranger = String(other.headers.get('set-auth-token'))
    const listed = async (session: string) => {
      const { body, text } = await get('/auth/sessions', session)
      t.notMatch(text, phone.split('.')[0] ?? '', 'no session shows another’s key')
      return z.object({ sessions: z.array(z.object({ id: z.string() })) }).parse(body).sessions
    }
    const before = await listed(laptop)
    const [row] = await db.sql<{ id: string }[]>`
      select id from login.sessions where token = ${phone.split('.')[0] ?? ''}`
    const end = (session: string | null) =>
      ask(`${url}/auth/sessions/${row?.id}`, {
        method: 'DELETE',
        headers: session === null ? {} : { authorization: `Bearer ${session}` },
      })
    t.equal((await end(null)).status, 401)
    t.match(await end(stranger), { status: 404, body: { code: 'not_found' } })
    t.equal((await get('/auth/token', phone)).status, 200)
    t.equal((await end(laptop)).status, 204)
    t.equal((await end(laptop)).status, 404)
    t.equal((await get('/auth/token', phone)).status, 401)
    t.equal((await listed(laptop)).length, before.length - 1)
  })

  await group.test('a password is changed by who knows it, and every session from before is over', async (t) => {
    const session = String((await post('/auth/sign-in/email', person)).headers.get('set-auth-token'))
    const change = (current_password: string, more = {}) =>
      post(
        '/auth/change-password',
        { current_password, new_password: 'another horse', ...more },
        { authorization: `Bearer ${session}` },
      )
    t.match(await change('not this one'), { status: 422, body: { code: 'password_refused' } })
    t.match(await change(person.password, { new_password: 'short' }), { status: 400 })
    t.equal((await get('/auth/token', session)).status, 200)
    const changed = await change(person.password)
    t.equal(changed.status, 200)
    t.equal((await get('/auth/token', session)).status, 401)
    t.equal((await get('/auth/token', changed.headers.get('set-auth-token'))).status, 200)
    t.match(await post('/auth/sign-in/email', person), { status: 401, body: { code: 'sign_in_refused' } })
    t.equal((await post('/auth/sign-in/email', { ...person, password: 'another horse' })).status, 200)
  })

  await group.test('an account is deleted by closing it alone', async (t) => {
    for (const path of ['/auth/delete-user', '/auth/delete-user/callback', '/auth/update-user'])
      t.equal((await ask(`${url}${path}`, { method: 'POST' })).status, 404, path)
  })

  await group.test('neither a password nor an address is in the log', async (t) => {
    const all = JSON.stringify(server.logLines)
    for (const word of [person.email, person.password, 'Ann']) t.notOk(all.includes(word), word)
  })
})

test('guessing passwords is slowed down', async (t) => {
  const { url } = await startApp(t, { accounts: 'embedded', env: { AUTH_SIGN_IN_LIMIT: 'on' } })
  const tries = []
  for (let n = 0; n < 12; n += 1) {
    tries.push(
      await ask(`${url}/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.0.0.${n}` },
        body: JSON.stringify({ email: 'a@example.test', password: 'wrong password' }),
      }),
    )
  }
  t.match(tries.at(0), { status: 401 })
  t.match(tries.at(-1), { status: 429, body: { code: 'too_many_requests' } })
  t.ok(Number(tries.at(-1)?.headers.get('retry-after')) >= 1)
})

test('with an issuer outside there are no accounts of our own', async (t) => {
  const { url } = await startApp(t)
  t.equal((await ask(`${url}/auth/jwks`)).status, 404)
  t.equal((await ask(`${url}/auth/sign-up/email`, { method: 'POST' })).status, 404)
})
