import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Test } from 'tap'
import { accountIdOf } from '../../server/plugins/authentication/token-verifier.ts'
import { serve } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { createKeyCache, createSigningKeys } from '../../server/routes/auth/signing-keys.ts'
import { ask, audience, issuer, signToken, startApp, tokenSecret } from '../support/app.ts'

test('a token of the shared secret', async (group) => {
  const { url, db, account } = await startApp(group)
  const statusOf = async (authorization: string | undefined) => {
    const answer = await ask(`${url}/profiles`, authorization === undefined ? {} : { headers: { authorization } })
    return { status: answer.status, code: answer.body['code'] }
  }
  const id = randomUUID()
  const secret = new TextEncoder().encode(tokenSecret)
  const bare = () => new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer).setAudience(audience)

  await group.test('opens the API to its account, which has one profile however many requests are first', async (t) => {
    const token = await signToken(id)
    const answers = await Promise.all(Array.from({ length: 10 }, () => statusOf(`Bearer ${token}`)))
    t.ok(answers.every(({ status }) => status === 200))
    const [row] = await serve<{ n: string; same: string }>(
      db,
      sql`select count(*) as n, count(*) filter (where id = ${id}) as same from public.user_profiles where account_owner_id = ${id}`,
    )
    t.match(row, { n: '1', same: '0' }, 'and a profile is never its account')
  })

  await group.test('is refused when anything about it is wrong', async (t) => {
    const refused = {
      'none at all': undefined,
      'another scheme': `Basic ${Buffer.from('a:b').toString('base64')}`,
      'no token': 'Bearer ',
      'no JWT': 'Bearer not.a.token',
      'another secret': `Bearer ${await signToken(id, { secret: 'another secret of the very same length, 32+' })}`,
      'another issuer': `Bearer ${await signToken(id, { issuer: 'https://elsewhere.test' })}`,
      'another audience': `Bearer ${await signToken(id, { audience: 'someone-else' })}`,
      'long over': `Bearer ${await signToken(id, { expires: '-1h' })}`,
      'the role of a service': `Bearer ${await signToken(id, { role: 'service_role' })}`,
      'the role of nobody': `Bearer ${await signToken(id, { role: 'anon' })}`,
      'no subject': `Bearer ${await bare().setExpirationTime('1h').sign(secret)}`,
      'no end': `Bearer ${await bare().setSubject(id).sign(secret)}`,
      'not signed': `Bearer ${new UnsecuredJWT({}).setSubject(id).setIssuer(issuer).setAudience(audience).setExpirationTime('1h').encode()}`,
      'a later beginning': `Bearer ${await bare().setSubject(id).setNotBefore('1h').setExpirationTime('2h').sign(secret)}`,
    }
    for (const [name, authorization] of Object.entries(refused)) {
      t.same(await statusOf(authorization), { status: 401, code: 'unauthenticated' }, name)
    }
  })

  await group.test('with changed claims is refused', async (t) => {
    const [head = '', , signature = ''] = (await signToken(id)).split('.')
    const claims = { sub: randomUUID(), iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 600 }
    const forged = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
    t.same(await statusOf(`Bearer ${forged}`), { status: 401, code: 'unauthenticated' })
  })

  await group.test(
    'answers 401 on every route that is not open, whether it exists for the caller or not',
    async (t) => {
      const { profileId } = await account(randomUUID())
      const paths = [
        '/profiles',
        `/profiles/${profileId}`,
        `/documents?patient_id=${profileId}`,
        `/usage?patient_id=${profileId}`,
        '/usage/plans',
      ]
      const below = [
        '',
        '/content',
        '/pages',
        '/pages/1/image',
        '/pages/1/words',
        '/text',
        '/facts',
        '/narratives',
        '/events',
      ]
      for (const path of [...paths, ...below.map((end) => `/documents/${randomUUID()}${end}`)]) {
        const answer = await ask(`${url}${path}`)
        t.match(answer, { status: 401, body: { code: 'unauthenticated' } }, path)
        t.equal(answer.headers.get('www-authenticate'), 'Bearer')
      }
      t.equal((await ask(`${url}/api/process-document`, { method: 'POST' })).status, 401)
    },
  )
})

test('a token of an issuer with public keys', async (group) => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const jwksUrl = await serveJson(group, { keys: [jwk] })
  const env = { AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_JWT_SECRET: '' }
  const { url } = await startApp(group, { env })
  const statusOf = async (token: string) =>
    (await ask(`${url}/profiles`, { headers: { authorization: `Bearer ${token}` } })).status
  const claims = () =>
    new SignJWT({ role: 'authenticated' }).setIssuer(issuer).setAudience(audience).setExpirationTime('1h')

  await group.test('opens the API, also when its subject is no UUID', async (t) => {
    for (const subject of [randomUUID(), 'auth0|12345']) {
      t.equal(
        await statusOf(
          await claims().setSubject(subject).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(privateKey),
        ),
        200,
      )
    }
    t.equal(accountIdOf(issuer, 'auth0|12345'), accountIdOf(issuer, 'auth0|12345'))
    t.not(accountIdOf(issuer, 'auth0|12345'), accountIdOf('https://other.test', 'auth0|12345'))
    t.match(accountIdOf(issuer, 'auth0|12345'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  await group.test('cannot be made with the public key as a secret', async (t) => {
    const { publicKey: pem } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    for (const secret of [JSON.stringify(jwk), pem, String(jwk.n)]) {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const body = { sub: randomUUID(), iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 600 }
      const unsigned = `${part({ alg: 'HS256', kid: 'one' })}.${part(body)}`
      t.equal(await statusOf(`${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`), 401)
    }
  })

  await group.test('of another key is refused', async (t) => {
    const other = await generateKeyPair('RS256')
    for (const kid of ['one', 'two']) {
      t.equal(
        await statusOf(
          await claims().setSubject(randomUUID()).setProtectedHeader({ alg: 'RS256', kid }).sign(other.privateKey),
        ),
        401,
      )
    }
  })
})

test('an issuer that does not answer is not the fault of the caller', async (t) => {
  const env = { AUTH_JWKS_URL: 'http://127.0.0.1:1/keys', AUTH_ISSUER: issuer, AUTH_JWT_SECRET: '' }
  const { url } = await startApp(t, { env })
  const { privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT({})
    .setSubject(randomUUID())
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1h')
    .setProtectedHeader({ alg: 'ES256', kid: 'x' })
    .sign(privateKey)
  const answer = await ask(`${url}/profiles`, { headers: { authorization: `Bearer ${token}` } })
  t.match(answer, { status: 503, body: { code: 'issuer_unavailable' } })
  t.ok(Number(answer.headers.get('retry-after')) >= 1)
})

test('keys that nobody has make the table of keys be read twice a second, however many come at once', async (t) => {
  const { db } = await testDatabase(t)
  const { publicKeys } = createSigningKeys(db)
  let [reads, now] = [0, 0]
  const read = async () => {
    reads += 1
    return await publicKeys()
  }
  const find = createKeyCache(read, () => now)
  const forge = async () => {
    const forged = { alg: 'ES256', kid: randomUUID() }
    await t.rejects(async () => await find(forged, { payload: '', signature: '' }), {
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    })
  }
  const crowd = () => Promise.all(Array.from({ length: 20 }, forge))
  await crowd()
  t.equal(reads, 1)
  now += 501
  await crowd()
  await crowd()
  t.equal(reads, 2)
})

async function serveJson(t: Test, json: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.teardown(() => server.close())
  const address = server.address() as AddressInfo
  return `http://127.0.0.1:${address.port}/keys`
}
