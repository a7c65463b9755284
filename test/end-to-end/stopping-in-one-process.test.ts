import { randomUUID } from 'node:crypto'
import t from 'tap'
import postgres from 'postgres'
import { embeddedHome, readConnectionFile } from '../../db/embedded/connection-file.ts'
import { audience, issuer, signToken, tokenSecret } from '../support/app.ts'
import { emptyFolder, freezeServer, killServer, migratedFolder, serverOf } from '../support/embedded.ts'
import { personOf } from '../support/person.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'
import { sample } from '../support/samples.ts'
import { closeStages } from './gates.ts'
import { atOnceMs, endOf, parker, run, waitingFor } from './stopping.ts'

t.setTimeout(280_000)

void t.test('server and worker in one process, and its database is killed or no longer answers', async (test) => {
  await test.test('killed: it comes back to be stopped', async (one) => {
    const { dataDir, running } = await allInOne(one)
    await killServer(dataDir)
    const { ms, signal } = await endOf(running, 'SIGTERM')
    one.ok(ms < 32_000, `${ms} ms`)
    one.equal(signal, null)
    one.equal(await serverOf(dataDir), null)
  })
  await test.test('silent: it is left behind', async (one) => {
    const { dataDir, ownerUrl, running } = await allInOne(one)
    await freezeServer(one, dataDir, ownerUrl)
    running.signal('SIGTERM')
    // Another one, since two of a kind may arrive as one.
    const { ms, code } = await endOf(running, 'SIGINT')
    one.ok(ms < atOnceMs, `${ms} ms`)
    one.equal(code, 1)
  })
})

void t.test('told to stop in the middle of its start, a worker starts, and stops', async (test) => {
  const { ownerUrl, appUrl } = await testDatabase(test)
  const sql = postgres(ownerUrl, { max: 2, onnotice: () => {} })
  test.teardown(() => sql.end())
  const env = { DATABASE_URL: appUrl, DATA_DIR: emptyFolder(test), HEALTH_CHECK_PORT: '0' }
  const worker = await sql.begin(async (tx) => {
    await tx`lock table public.workers in access exclusive mode`
    const begun = run(test, 'worker/main.ts', env)
    await waitingFor(sql, 'workers')
    begun.signal('SIGTERM')
    return begun
  })
  test.same(await worker.exited, { code: 0, signal: null })
})

/** What `npm start` runs, with a job of which the same is true. */
async function allInOne(test: Teardown) {
  const dataDir = await migratedFolder(test)
  const auth = { AUTH_JWT_SECRET: tokenSecret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience }
  const env = { ...auth, DATA_DIR: dataDir, PORT: '0', HEALTH_CHECK_PORT: '0', WORKER_DRAIN_SECONDS: '2' }
  const running = run(test, 'scripts/start.ts', env)
  const address = await running.said(/Exora is up: (\S+)\/docs/)
  const ownerUrl = readConnectionFile(embeddedHome(dataDir))?.owner ?? ''
  const sql = postgres(ownerUrl, { max: 3, onnotice: () => {} })
  test.teardown(() => sql.end({ timeout: 1 }))
  const gates = await closeStages(test, sql, 'end', ['pass2_code'])
  const accountId = randomUUID()
  const person = await personOf(address, { accountId, token: await signToken(accountId) }, parker)
  await person.give(sample('discharge-summary-two-pages.pdf'))
  await gates.reached('pass2_code')
  return { dataDir, ownerUrl, running }
}
