import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { buildApp } from '../../server/app.ts'
import { addressOf } from '../../server/plugins/request-limits/request-limits.ts'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import type { Answer, TestApp } from '../support/app.ts'
import { startDatabaseProxy } from '../support/database-proxy.ts'
import { pdf } from '../support/multipart.ts'
import type { Teardown } from '../support/postgres.ts'

// A machine that is busy with other tests may be slow to count.
const patient = { RATE_LIMIT_PATIENCE_MS: '60000' }
const refused = { status: 429, body: { code: 'too_many_requests' } }
const taken = (answers: readonly Answer[]) => answers.filter(({ status }) => status !== 429).length

test('an account has one budget at all servers together, and the next account its own', async (t) => {
  const perMinute = 60
  const house = await startApp(t, { env: { ...patient, RATE_LIMIT_ACCOUNT: String(perMinute) } })
  const urls = [house.url, await anotherServer(t, house)]
  const eager = await house.account(randomUUID())
  const other = await house.account(randomUUID())
  const began = performance.now()
  const answers = await Promise.all(
    urls.flatMap((url) => Array.from({ length: 80 }, () => ask(`${url}/profiles`, { headers: eager.headers }))),
  )
  const refilled = ((performance.now() - began) / 60_000) * perMinute
  t.ok(taken(answers) >= perMinute - 2, `${taken(answers)} are answered`)
  t.ok(taken(answers) <= perMinute + refilled + 1, `and no more than the budget of ${perMinute}`)

  const last = answers.find(({ status }) => status === 429)
  t.match(last, refused)
  t.ok(Number(last?.headers.get('retry-after')) >= 1)
  t.equal(last?.headers.get('ratelimit-policy'), `"account";q=${perMinute};w=60`)
  t.match(last?.headers.get('ratelimit'), /^"account";r=0;t=[1-9]\d*$/)
  t.equal(last?.body['correlation_id'], last?.headers.get('x-correlation-id'))

  const spared = await other.get('/profiles')
  t.equal(spared.status, 200)
  t.match(spared.headers.get('ratelimit'), /^"account";r=5\d;t=/)
})

test('a large budget is passed by no more than what servers may let through unasked', async (t) => {
  const perMinute = 400
  const house = await startApp(t, { env: { ...patient, RATE_LIMIT_ACCOUNT: String(perMinute) } })
  const urls = [house.url, await anotherServer(t, house)]
  const eager = await house.account(randomUUID())
  const began = performance.now()
  const answers = await Promise.all(
    urls.flatMap((url) => Array.from({ length: 300 }, () => ask(`${url}/profiles`, { headers: eager.headers }))),
  )
  const refilled = ((performance.now() - began) / 60_000) * perMinute
  const margin = urls.length * (0.03 * perMinute + 1)
  t.ok(taken(answers) >= perMinute - margin, `${taken(answers)} are answered`)
  t.ok(taken(answers) <= perMinute + refilled + margin)
})

test('uploads are counted by themselves, and who watches over us is always answered', async (t) => {
  const { account, url } = await startApp(t, { env: { ...patient, RATE_LIMIT_UPLOADS: '2', RATE_LIMIT_ADDRESS: '1' } })
  const person = await account(randomUUID())
  const uploads = []
  for (const n of [1, 2, 3]) uploads.push(await person.upload({ bytes: pdf(`${n}`), key: `upload ${n}` }))
  t.same(
    uploads.map(({ status }) => status),
    [201, 201, 429],
  )
  t.match((await person.get('/profiles')).status, 200)
  for (const path of ['/health', '/ready', '/metrics', '/health', '/ready']) {
    t.equal((await ask(`${url}${path}`)).status, 200, path)
  }
})

test('people with tokens are not counted by the address that they share; who has none is', async (t) => {
  const { account, url, ownerUrl } = await startApp(t, { env: { ...patient, RATE_LIMIT_ADDRESS: '4' } })
  const hospital = await Promise.all(Array.from({ length: 30 }, () => account(randomUUID())))
  const uploads = await Promise.all(hospital.map((person, nth) => person.upload({ bytes: pdf(`ward ${nth}`) })))
  t.ok(
    uploads.every(({ status }) => status === 201),
    'thirty from one address at once',
  )

  const guesses = []
  for (let n = 0; n < 6; n += 1)
    guesses.push(await ask(`${url}/profiles`, { headers: { authorization: `Bearer guess.${n}.x` } }))
  t.same(
    guesses.map(({ status }) => status),
    [401, 401, 401, 401, 429, 429],
    'tokens are not guessed for ever',
  )
  t.match(await ask(`${url}/nowhere`), refused, 'nor paths')
  t.equal((await hospital[0]?.get('/profiles'))?.status, 200, 'which harms nobody who has one')

  const rows = await ownerSql(t, ownerUrl)`select to_jsonb(kept)::text as kept from request_allowances as kept`
  const all = JSON.stringify(rows)
  t.notOk(all.includes('127.0.0.1') || all.includes(hospital[0]?.accountId ?? '-'), 'nobody is named in the table')
})

test('behind trusted proxies an address is what the last of them saw', async (t) => {
  const from = (url: string, address: string) =>
    ask(`${url}/nowhere`, { headers: { 'x-forwarded-for': `1.1.1.1, ${address}` } })
  const behind = await startApp(t, { env: { ...patient, RATE_LIMIT_ADDRESS: '1', TRUSTED_PROXIES: '1' } })
  t.equal((await from(behind.url, '203.0.113.7')).status, 404)
  t.match(await from(behind.url, '203.0.113.7'), refused)
  t.equal((await from(behind.url, '203.0.113.8')).status, 404)

  const alone = await startApp(t, { env: { ...patient, RATE_LIMIT_ADDRESS: '1' } })
  t.equal((await from(alone.url, '203.0.113.7')).status, 404)
  t.match(await from(alone.url, '203.0.113.9'), refused, 'where no proxy is trusted, nobody says who they are')
  const warned = (house: TestApp) => house.logLines.filter(({ event }) => event === 'forwarded_for_ignored').length
  t.same([warned(alone), warned(behind)], [1, 0], 'the log says once that a proxy is not trusted')
})

test('a subscriber of IPv6 is one address, in whatever way it is written', async (t) => {
  const same = ['2001:db8:0:7::1', '2001:0db8:0000:0007:ffff::9', '2001:db8::7:1:2:3:4']
  t.same(new Set(same.map((ip) => addressOf({ ip }))), new Set(['2001:db8:0:7']))
  t.equal(addressOf({ ip: '2001:db8:0:8::1' }), '2001:db8:0:8')
  t.equal(addressOf({ ip: '::ffff:192.0.2.1' }), '192.0.2.1')
  t.equal(addressOf({ ip: '192.0.2.1:50123' }), '192.0.2.1', 'with the port that some proxies write')
  t.equal(addressOf({ ip: '[2001:db8:0:8::1]:443' }), '2001:db8:0:8')
  t.equal(addressOf({ ip: 'nobody knows' }), 'unknown')
  t.equal(addressOf({ ip: undefined }), 'unknown', 'the connection has gone')
})

test('while the database is away each server counts alone, and remembers no more than is fair', async (t) => {
  const house = await startApp(t, { env: { RATE_LIMIT_ADDRESS: '3' } })
  const proxy = await startDatabaseProxy(t, house.appUrl)
  const db = openDatabase({ url: proxy.url, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  const url = await anotherServer(t, { ...house, db })
  proxy.refuse()
  const statuses = []
  for (let n = 0; n < 5; n += 1) statuses.push((await ask(`${url}/nowhere`)).status)
  t.same(statuses, [404, 404, 404, 429, 429], 'nobody is refused because nobody can be counted, and nobody gets more')
  proxy.recover()
})

test('a budget that is whole again leaves no row', async (t) => {
  const { account, ownerUrl } = await startApp(t, { env: { RATE_LIMIT_ACCOUNT: '50' } })
  await account(randomUUID())
  const owner = ownerSql(t, ownerUrl)
  const forget = async () => (await owner`select forget_whole_allowances(10)::int as n`)[0]?.['n']
  t.equal((await owner`select 1 from request_allowances`).length, 1)
  t.equal(await forget(), 0, 'while something of it is spent it stays')
  await owner`update request_allowances set full_at = now()`
  t.equal(await forget(), 1)
  const [kind] = await owner`select relpersistence from pg_class where relname = 'request_allowances'`
  t.match(kind, { relpersistence: 'u' }, 'and it is never written to the log')
})

async function anotherServer(t: Teardown, house: Pick<TestApp, 'config' | 'db' | 'store'>): Promise<string> {
  const app = await buildApp({
    ...house,
    log: createLog({ level: 'silent', service: 'test' }),
    metrics: createMetrics({ service: 'test', runtime: 'leave_out' }),
    tracing: null,
    accounts: null,
    renderPage: () => Promise.reject(new Error('this test draws no pages')),
  })
  t.teardown(() => app.close())
  return await app.listen({ host: '127.0.0.1', port: 0 })
}
