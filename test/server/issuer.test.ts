import { randomUUID } from 'node:crypto'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'
import { test } from 'tap'
import { ask, audience, issuer, startApp } from '../support/app.ts'
import { startLoopback } from '../support/loopback.ts'

type SigningKey = { readonly kid: string; readonly jwk: JWK; readonly privateKey: Parameters<SignJWT['sign']>[0] }

async function makeKey(kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

test('an issuer that changes its keys', async (group) => {
  const [old, next, never] = [await makeKey('old'), await makeKey('next'), await makeKey('never')]
  let answer: { status: number; body: string } = { status: 200, body: '' }
  let asked = 0
  const list = (...keys: readonly SigningKey[]) => {
    answer = { status: 200, body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) }
  }
  list(old)
  const far = await startLoopback(group, (_asked, response) => {
    asked += 1
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  })
  const env = { AUTH_JWKS_URL: `${far.url}/keys`, AUTH_ISSUER: issuer, AUTH_JWT_SECRET: '' }
  const { url } = await startApp(group, { env })

  // The server runs in this process: what it keeps keys by is our clock, what it reads tokens by is the right one.
  let laterMs = 0
  const { now } = Date
  group.intercept(Date, 'now', { value: () => now() + laterMs })

  const token = (key: SigningKey, times: { readonly nbf?: number; readonly exp?: number } = {}) => {
    const nowS = Math.floor(now() / 1000)
    const signed = new SignJWT({}).setSubject(randomUUID()).setIssuer(issuer).setAudience(audience)
    return signed
      .setNotBefore(nowS + (times.nbf ?? 0))
      .setExpirationTime(nowS + (times.exp ?? 600))
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .sign(key.privateKey)
  }
  const show = async (signed: string) => {
    const { status, body, headers } = await ask(`${url}/profiles`, { headers: { authorization: `Bearer ${signed}` } })
    return { status, code: body['code'], retryAfter: headers.get('retry-after') }
  }
  const statusOf = async (key: SigningKey) => (await show(await token(key))).status

  await group.test('is asked once for a key that is new, and the old one stays good while it is listed', async (t) => {
    t.equal(await statusOf(old), 200)
    t.equal(asked, 1)
    list(old, next)
    laterMs += 6_000
    t.same(await Promise.all([next, old, next, next].map(statusOf)), [200, 200, 200, 200])
    t.equal(asked, 2)
  })

  await group.test('is not asked again for each key that nobody has', async (t) => {
    laterMs += 6_000
    const before = asked
    t.same(await Promise.all(Array.from({ length: 5 }, () => statusOf(never))), [401, 401, 401, 401, 401])
    t.same(await Promise.all(Array.from({ length: 5 }, () => statusOf(never))), [401, 401, 401, 401, 401])
    t.equal(asked, before + 1)
  })

  await group.test('takes a key out of use', async (t) => {
    list(next)
    laterMs += 11 * 60_000
    t.equal(await statusOf(old), 401)
    t.equal(await statusOf(next), 200)
  })

  await group.test('is forgiven a clock that is seconds off, and no more', async (t) => {
    t.equal((await show(await token(next, { nbf: 3 }))).status, 200)
    t.equal((await show(await token(next, { nbf: 60 }))).status, 401)
    t.equal((await show(await token(next, { exp: -60, nbf: -120 }))).status, 401)
  })

  await group.test('is away: known keys go on for their minutes, then everybody is told to come back', async (t) => {
    answer = { status: 500, body: 'no' }
    t.equal(await statusOf(next), 200)
    laterMs += 11 * 60_000
    for (const body of ['no', '<html>', '{"keys": 1}']) {
      answer = { status: body === 'no' ? 500 : 200, body }
      const told = await show(await token(next))
      t.match(told, { status: 503, code: 'issuer_unavailable' }, body)
      t.ok(Number(told.retryAfter) >= 1)
    }
    list(next)
    t.equal(await statusOf(next), 200, 'and is back')
  })
})

test('every answer names its correlation id', async (t) => {
  const { url, account } = await startApp(t)
  const person = await account(randomUUID())
  const id = String((await person.upload({ key: 'k' })).body['shell_file_id'])
  const given = 'phone-1.of_somebody'
  const asking = (init: RequestInit = {}, more: Readonly<Record<string, string>> = {}) => ({
    ...init,
    headers: { ...person.headers, 'x-correlation-id': given, ...more },
  })
  const json = { 'content-type': 'application/json' }
  const answers = {
    'what is there': ask(`${url}/profiles`, asking()),
    'no such route': ask(`${url}/nowhere`, asking()),
    'no such method': ask(`${url}/profiles`, asking({ method: 'DELETE' })),
    'a stranger’s': ask(`${url}/profiles/${randomUUID()}`, asking()),
    'no token': ask(`${url}/profiles`, { headers: { 'x-correlation-id': given } }),
    'a broken body': ask(`${url}/profiles`, asking({ method: 'POST', body: '{' }, json)),
    'a body of another type': ask(`${url}/profiles`, asking({ method: 'POST', body: 'x' }, { 'content-type': 'a/b' })),
    'a body too large': ask(
      `${url}/profiles`,
      asking({ method: 'POST', body: JSON.stringify('x'.repeat(70_000)) }, json),
    ),
    'a broken address': ask(`${url}/%zz`, asking()),
    health: ask(`${url}/health`, asking()),
    'the description': ask(`${url}/openapi.json`, asking()),
    'no form': ask(`${url}/documents/upload`, asking({ method: 'POST', body: '{}' }, json)),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const { headers, status, body } = await answer
    t.equal(headers.get('x-correlation-id'), given, name)
    if (status >= 400) t.equal(body['correlation_id'], given, name)
  }
  const stop = new AbortController()
  const stream = await fetch(`${url}/documents/${id}/events`, { ...asking(), signal: stop.signal })
  t.match(stream, { status: 200 })
  t.equal(stream.headers.get('x-correlation-id'), given, 'a stream')
  stop.abort()
  const odd = await ask(`${url}/profiles`, { headers: { ...person.headers, 'x-correlation-id': 'a b;c' } })
  t.match(odd.headers.get('x-correlation-id'), /^[0-9a-f-]{36}$/, 'what is not safe to log is replaced')
})
