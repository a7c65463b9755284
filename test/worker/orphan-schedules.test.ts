import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { addQueueMetrics } from '../../worker/queue-metrics.ts'
import { createOrphanSchedules } from '../../worker/orphan-schedules.ts'
import { ownerSql, serve, signUp } from '../support/actors.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { serviceSql } from '../support/queue.ts'
import { evaluateMinutes } from '../support/slos.ts'
import { createWatchedLog } from '../support/worker.ts'

test('store and database are compared both ways', async (suite) => {
  const { db, ownerUrl, appUrl } = await testDatabase(suite)
  const owner = ownerSql(suite, ownerUrl)
  const root = await mkdtemp(join(tmpdir(), 'exora-orphans-'))
  suite.teardown(() => rm(root, { recursive: true, force: true }))
  const store = await openDiskStore(root)
  const person = await signUp(db)
  const old = new Date(Date.now() - 25 * 60 * 60 * 1_000)
  const put = async (writtenAt: Date) => {
    const { key } = await store.put(Readable.from([Buffer.from('a letter')]), { maxBytes: 100 })
    await utimes(join(root, key), writtenAt, writtenAt)
    return key
  }
  const run = async (name: string) => {
    const schedule = createOrphanSchedules(store, createWatchedLog().log).find((each) => each.name === name)
    if (schedule === undefined) throw new Error(`no schedule ${name}`)
    await schedule.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
  }
  const stored = async () => (await Array.fromAsync(store.list())).map(({ key }) => key).toSorted()

  const [named, piece, underWay] = [await put(old), await put(old), await put(new Date())]
  const { shell_file_id: id } = await upload(db, person)
  await owner`update shell_files set storage_key = ${named} where id = ${id}`
  await owner`insert into resumable_uploads
      (id, account_id, patient_id, size_bytes, received_bytes, filename, fields, keep_both, pieces, expires_at)
    values (gen_random_uuid(), ${person.actor.accountId}, ${person.profileId}, 100, 8, 'x', '{}', false, ${[piece]}, now() + interval '1 day')`

  await suite.test('bytes of a server that died before it could register them go after a day', async (t) => {
    await put(old)
    await run('delete_orphaned_objects')
    t.same(await stored(), [named, piece, underWay].toSorted(), 'those of documents and uploads under way stay')
  })

  await suite.test('a database that knows hardly any of the bytes is not believed', async (t) => {
    const strangers = [await put(old), await put(old), await put(old), await put(old)]
    await run('delete_orphaned_objects')
    t.same(await stored(), [named, piece, underWay, ...strangers].toSorted())
    for (const key of strangers) await store.delete(key)
  })

  await suite.test('a document whose bytes are gone is made known, once and until they are back', async (t) => {
    const known = async () =>
      (await serve(db, sql`select shell_file_id from processing_errors where error_code = 'object_not_found'`)).length
    await run('find_missing_objects')
    t.equal(await known(), 0)
    await store.delete(named)
    await run('find_missing_objects')
    await run('find_missing_objects')
    t.equal(await known(), 1)
    const metrics = createMetrics({ service: 'test', runtime: 'leave_out' })
    addQueueMetrics(metrics, db)
    t.match((await metrics.expose()).body, /exora_missing_objects\{service="test"\} 1\n/)
    const service = serviceSql(t, appUrl)
    const told = async (from: number, to: number) =>
      (await evaluateMinutes(service, from, to)).filter((line) => line.includes('missing_objects'))
    t.same(await told(1, 3), ['2: missing_objects all firing'])

    await store.put(Readable.from([Buffer.from('a letter')]), { maxBytes: 100, key: named })
    await run('find_missing_objects')
    t.equal(await known(), 0)
    t.same(await told(4, 9), ['8: missing_objects all resolved'])
  })
})
