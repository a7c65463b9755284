import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import Fastify from 'fastify'
import { test } from 'tap'
import { addCorrelation } from '../../server/plugins/correlation.ts'
import { openDatabase } from '../../db/client.ts'
import { addProblems } from '../../server/plugins/problems.ts'
import { ask, startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { startDatabaseProxy } from '../support/database-proxy.ts'
import { pdf } from '../support/multipart.ts'
import { anotherServer } from '../support/resumable.ts'

/** Asked again and again until the server itself says so. */
async function untilShown({ url }: Pick<TestApp, 'url'>, reason: string, value: 0 | 1): Promise<void> {
  const line = new RegExp(`exora_overloaded\\{[^}]*reason="${reason}"[^}]*\\} ${value}`)
  while (!line.test((await ask(`${url}/metrics`)).text)) await new Promise((resolve) => setImmediate(resolve))
}

test('a server whose memory is full says so before it begins', async (t) => {
  const server = await startApp(t, { env: { OVERLOAD_RSS_MB: '1', CORS_ORIGINS: 'https://app.test' } })
  const person = await server.account(randomUUID())
  await untilShown(server, 'memory', 1)
  const refused = await person.upload({ bytes: pdf('too much') })
  t.match(refused, { status: 503, body: { code: 'overloaded' } })
  const comeBack = Number(refused.headers.get('retry-after'))
  t.ok(comeBack >= 2 && comeBack <= 8)
  const fromPage = await person.get('/profiles', { origin: 'https://app.test' })
  t.equal(fromPage.status, 503)
  t.equal(fromPage.headers.get('access-control-allow-origin'), 'https://app.test', 'a page may read why')
  t.same(await Array.fromAsync(server.store.list()), [])
  for (const path of ['/health', '/metrics']) t.equal((await ask(`${server.url}${path}`)).status, 200, path)
  const notReady = { status: 'not_ready', checks: { memory: false, database: true } }
  t.match(await ask(`${server.url}/ready`), { status: 503, body: notReady }, 'others are to have its requests')
})

test('a server that waits for its database asks to come back, and stops asking when it has it', async (t) => {
  const server = await startApp(t, { env: { OVERLOAD_DATABASE_MS: '100' } })
  const person = await server.account(randomUUID())
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const holders = Array.from({ length: 5 }, () => server.db.drizzle.transaction(() => released))
  await untilShown(server, 'database', 1)
  t.match(await person.get('/profiles'), { status: 503, body: { code: 'overloaded' } })
  release()
  await Promise.all(holders)
  await untilShown(server, 'database', 0)
  t.equal((await person.get('/profiles')).status, 200)
})

test('a database that says nothing is not told as too many requests, and holds up no question for ever', async (t) => {
  const house = await startApp(t, { env: { OVERLOAD_DATABASE_MS: '100' } })
  const proxy = await startDatabaseProxy(t, house.appUrl)
  const db = openDatabase({ url: proxy.url, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  const server = { url: await anotherServer(t, { ...house, db }) }
  t.equal((await ask(`${server.url}/nowhere`)).status, 404)
  proxy.swallowAll()
  await untilShown(server, 'database_silent', 1)
  t.match(await ask(`${server.url}/nowhere`), { status: 503, body: { code: 'database_unavailable' } })
  proxy.refuse()
  await untilShown(server, 'database_silent', 0)
})

test('whatever goes wrong is told as a problem with a code and an id, and nothing of it is shown', async (t) => {
  const api = Fastify({ genReqId: () => 'an-id' })
  let thrown: unknown
  addCorrelation(api)
  addProblems(api)
  api.get('/', () => {
    throw thrown
  })
  t.teardown(() => api.close())
  const secret = 'secret-of-the-inside'
  const errors = fc.oneof(
    fc.anything(),
    fc
      .record({
        code: fc.oneof(
          fc.string(),
          fc.integer(),
          fc.constantFrom('ENOENT', 'FST_ERR_X', '23505', 'toString', 'constructor'),
        ),
        statusCode: fc.anything(),
      })
      .map((fields) => Object.assign(new Error(secret), fields)),
    fc.string().map((text) => new TypeError(`${secret} ${text}`)),
  )
  await fc.assert(
    fc.asyncProperty(errors, async (error) => {
      thrown = error
      const answer = await api.inject('/')
      const body: unknown = answer.json()
      const { code, correlation_id, status } = Object(body)
      const isStable = /^[a-z_]+$/.test(String(code)) && status === answer.statusCode
      const isProblem = String(answer.headers['content-type']).startsWith('application/problem+json')
      const isNamed = correlation_id === 'an-id' && answer.headers['x-correlation-id'] === 'an-id'
      return (
        isStable && isProblem && isNamed && !answer.body.includes(secret) && !/\.ts:|node_modules/.test(answer.body)
      )
    }),
    { numRuns: 200 },
  )
})
