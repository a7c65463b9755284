import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { ConfigurationError } from '../../platform/env.ts'
import { readServerConfig } from '../../server/config.ts'
import { parseRange } from '../../server/routes/documents/byte-range.ts'
import { ask, startApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'

test('the server', async (group) => {
  const server = await startApp(group, { env: { CORS_ORIGINS: 'https://app.test' } })
  const { url, app } = server

  await group.test('says that it lives and whether it can work', async (t) => {
    t.match(await ask(`${url}/health`), { status: 200, body: { status: 'ok' } })
    t.match(await ask(`${url}/ready`), {
      status: 200,
      body: { status: 'ready', checks: { database: true, migrations: true, storage: true } },
    })
  })

  await group.test('counts requests by route pattern, never by address', async (t) => {
    const person = await server.account(randomUUID())
    const id = String((await person.upload({ bytes: pdf('metrics') })).body['shell_file_id'])
    await person.get(`/documents/${id}`)
    const { text, headers } = await ask(`${url}/metrics`)
    t.match(headers.get('content-type'), /^text\/plain/)
    t.match(text, /exora_http_request_duration_seconds_count\{[^}]*route="\/documents\/:id"[^}]*\} 1/)
    t.match(text, /exora_uploads\{[^}]*state="active"[^}]*\} 0/)
    t.notOk(text.includes(id))
    t.notOk(text.includes(person.profileId))
  })

  await group.test('names the correlation id that came, or one of its own', async (t) => {
    const idOf = async (given: string) =>
      (await ask(`${url}/health`, { headers: { 'x-correlation-id': given } })).headers.get('x-correlation-id')
    t.equal(await idOf('trace-1_a.b'), 'trace-1_a.b')
    for (const bad of ['x'.repeat(65), 'a b', 'a"b', '<script>']) t.not(await idOf(bad), bad)
    t.match((await ask(`${url}/nowhere`, { headers: { 'x-correlation-id': 'abc' } })).body, {
      code: 'not_found',
      correlation_id: 'abc',
    })
    t.ok(server.logLines.some((line) => line['correlation_id'] === 'trace-1_a.b' && line['route'] === '/health'))
  })

  await group.test('lets pages of the listed origins in, and no others', async (t) => {
    const allowed = async (origin: string) =>
      (await ask(`${url}/health`, { headers: { origin } })).headers.get('access-control-allow-origin')
    t.equal(await allowed('https://app.test'), 'https://app.test')
    t.equal(await allowed('https://evil.test'), null)
    const preflight = await fetch(`${url}/documents/upload`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    })
    t.equal(preflight.status, 204)
    t.match(preflight.headers.get('access-control-allow-headers'), /idempotency-key/)
    for (const method of ['DELETE', 'PATCH', 'PUT'])
      t.match(preflight.headers.get('access-control-allow-methods'), method)
  })

  await group.test('sends the headers that keep browsers careful', async (t) => {
    const { headers } = await ask(`${url}/health`)
    t.match(headers.get('content-security-policy'), /default-src 'none'/)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('x-powered-by'), null)
  })

  await group.test('refuses bodies that are too large, not JSON, or of another kind', async (t) => {
    const person = await server.account(randomUUID())
    const post = (body: string, type = 'application/json') =>
      ask(`${url}/profiles`, { method: 'POST', headers: { ...person.headers, 'content-type': type }, body })
    t.match(await post('x'.repeat(70_000)), { status: 413, body: { code: 'request_too_large' } })
    t.match(await post('{"a":'), { status: 400, body: { code: 'invalid_request' } })
    t.match(await post('<a/>', 'application/xml'), { status: 415, body: { code: 'unsupported_media_type' } })
    t.match(await post('{"__proto__":{"a":1},"display_name":"x"}'), { status: 400 })
    t.notOk((await post('{"a":')).text.includes('at '), 'and shows no stack')
  })

  await group.test('answers what is no HTTP in the form of a problem', async (t) => {
    const { hostname, port } = new URL(url)
    const speak = async (text: string) => {
      const socket = connect(Number(port), hostname)
      socket.end(text)
      const [answer] = await once(socket, 'data')
      socket.destroy()
      return String(answer)
    }
    t.match(await speak('NONSENSE\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*"code":"invalid_request"/)
    t.match(
      await speak(`GET /health HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1.1 431 [\s\S]*"code":"headers_too_large"/,
    )
    t.match(await ask(`${url}/%zz`), { status: 400, body: { code: 'invalid_request' } })
  })

  await group.test('describes every route that it has, and each of their statuses', async (t) => {
    const { body, status } = await ask(`${url}/openapi.json`)
    t.equal(status, 200)
    const described = Object.entries(Object(body['paths'])).flatMap(([path, methods]) =>
      Object.keys(Object(methods)).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    const ownPages = ['GET /docs', 'GET /openapi.json']
    t.same(
      described.filter((route) => !route.startsWith('HEAD ')).toSorted(),
      routesOf(app.printRoutes({ commonPrefix: false }))
        .filter((route) => !ownPages.includes(route))
        .toSorted(),
    )
    t.match(body, {
      paths: {
        '/documents/upload': {
          post: {
            requestBody: { content: { 'multipart/form-data': {} } },
            responses: { 201: {}, 402: {}, 409: {}, 422: {} },
          },
        },
      },
    })
  })

  await group.test('shows its description on a page that runs only our own script', async (t) => {
    const page = await ask(`${url}/docs`)
    t.match(page.headers.get('content-security-policy'), /script-src 'self';/)
    t.notOk(/<script[^>]*>[^<]/.test(page.text), 'there is no inline script')
    t.notOk(/https?:\/\//.test(page.text), 'and nothing from elsewhere')
    t.equal((await ask(`${url}/docs/reference/js/scalar.js`)).status, 200)
    t.equal((await ask(`${url}/docs/reference/`)).status, 404)
  })

  await group.test('tells plans, and whether a file may come', async (t) => {
    const person = await server.account(randomUUID())
    t.match((await person.get('/usage/plans')).body, {
      plans: [
        { plan_type: 'free', shell_files_limit: 10 },
        {},
        {},
        { plan_type: 'enterprise', shell_files_limit: null },
      ],
    })
    t.match((await person.get(`/usage/check?patient_id=${person.profileId}&bytes=1000`)).body, {
      allowed: true,
      enforced: false,
      passed: [],
    })
    const much = await person.get(`/usage/check?patient_id=${person.profileId}&bytes=1000&pages=5000`)
    t.match(much.body, { allowed: true, passed: [{ limit_name: 'pages', limit: 100 }] })
  })
})

/** From the tree that Fastify prints: each line adds to the path of the line that it hangs on. */
function routesOf(tree: string): string[] {
  const above: string[] = []
  const routes: string[] = []
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', methods = ''] = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    const depth = indent.length / 4
    above.splice(depth)
    above.push(part)
    const path = above.join('')
    const isOurs = !path.startsWith('/docs/reference') && path !== '*'
    for (const method of methods.split(', ')) {
      if (isOurs && method !== '' && method !== 'HEAD' && method !== 'OPTIONS') routes.push(`${method} ${path}`)
    }
  }
  return routes
}

test('the configuration', async (t) => {
  t.match(readServerConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    auth: { kind: 'embedded', issuer: 'exora', audience: 'authenticated' },
  })
  const secret = 'x'.repeat(32)
  t.match(readServerConfig({ AUTH_JWT_SECRET: secret, AUTH_ISSUER: 'https://i' }).auth, {
    kind: 'secret',
    secret,
    issuer: 'https://i',
  })
  t.match(readServerConfig({ AUTH_JWKS_URL: 'https://i/keys', AUTH_ISSUER: 'https://i' }).auth, { kind: 'jwks' })
  const bad = [
    [{ AUTH_JWT_SECRET: secret }, /AUTH_ISSUER/],
    [{ AUTH_JWT_SECRET: 'short', PORT: 'x' }, /PORT[\s\S]*AUTH_JWT_SECRET/],
    [{ AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: 'https://i', AUTH_ISSUER: 'i' }, /one of them/],
    [{ CORS_ORIGINS: 'https://app.test,*' }, /CORS_ORIGINS/],
    [{ CORS_ORIGINS: 'https://app.test/' }, /CORS_ORIGINS/],
    [{ AUTH_JWKS_URL: 'ftp://i', AUTH_ISSUER: 'i' }, /AUTH_JWKS_URL/],
  ] as const
  for (const [env, message] of bad) {
    t.throws(() => readServerConfig(env), { message })
    t.throws(() => readServerConfig(env), ConfigurationError)
  }
})

test('a range of bytes is understood as RFC 9110 has it', async (t) => {
  t.same(parseRange(undefined, 10), { kind: 'whole' })
  t.same(parseRange('bytes=0-0', 10), { kind: 'part', range: { start: 0, end: 0 } })
  t.same(parseRange('bytes=9-', 10), { kind: 'part', range: { start: 9, end: 9 } })
  t.same(parseRange('bytes=-20', 10), { kind: 'part', range: { start: 0, end: 9 } })
  t.same(parseRange('bytes=10-', 10), { kind: 'unsatisfiable' })
})
