import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { Schedule } from '../../worker/engine/schedule.ts'
import { schedulesOver } from '../support/schedules.ts'
import { ask, ownerSql, serve, signUp } from '../support/actors.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'

async function openFolder(t: Teardown): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-schedules-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return await openDiskStore(folder)
}

test('bytes go after their document, and are not forgotten while the store fails', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const store = await openFolder(t)
  const person = await signUp(db)
  const put = async () => {
    const { key } = await store.put(Readable.from([Buffer.from('a letter')]), { maxBytes: 100 })
    const { shell_file_id: id } = await upload(db, person)
    await owner`update shell_files set storage_key = ${key} where id = ${id}`
    return { id, key }
  }
  const [kept, first, second] = [await put(), await put(), await put()]
  for (const { id } of [first, second]) await ask(db, person.actor, sql`select public.delete_shell_file(${id})`)
  await owner`update shell_files set deleted_at = now() - interval '31 days' where deleted_at is not null`
  const run = async (name: string, over: Store = store) => {
    const schedule = schedulesOver(over).find((each) => each.name === name)
    if (schedule === undefined) throw new Error(`no schedule ${name}`)
    await schedule.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
  }
  const listed = async () => (await serve(db, sql`select storage_key from erased_objects`)).length
  const stored = async () => (await Array.fromAsync(store.list())).map(({ key }) => key).toSorted()

  await run('purge_deleted_files')
  t.equal((await serve(db, sql`select 1 from shell_files`)).length, 1)
  t.same(await stored(), [kept.key, first.key, second.key].toSorted(), 'the rows went first')

  let deletions = 0
  const failing: Store = {
    ...store,
    delete: async (key) => {
      deletions += 1
      if (deletions > 1) throw new Error('the store is away')
      await store.delete(key)
    },
  }
  await t.rejects(run('delete_erased_objects', failing), /the store is away/)
  t.equal(await listed(), 1, 'what is gone is forgotten, what is not stays listed')
  await run('delete_erased_objects')
  t.same(await stored(), [kept.key])
  t.equal(await listed(), 0)

  // As after a crash between the store and the list.
  await owner`insert into erased_objects (storage_key) values (${first.key}), (${kept.key})`
  await run('delete_erased_objects')
  t.same(await stored(), [kept.key], 'bytes that a document names are never deleted')
})

test('every schedule runs on an empty database', async (t) => {
  const { db } = await testDatabase(t)
  const store = await openFolder(t)
  for (const schedule of schedulesOver(store)) {
    await schedule.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
    t.pass(schedule.name)
  }
})

test('the runbook names what happens by the clock, and when', async (t) => {
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const told = [...page.matchAll(/^\| `(\w+)` \| ((?:every|daily at) [^|]+) \|/gm)].map(
    ([, name = '', when = '']) => `${name} ${when}`,
  )
  const known = schedulesOver(await openFolder(t)).map(({ name, slots }) => `${name} ${inWords(slots)}`)
  t.same(told.toSorted(), known.toSorted())
})

function inWords(slots: Schedule['slots']): string {
  if ('dailyAt' in slots) return `daily at ${slots.dailyAt}`
  const minutes = slots.everySeconds / 60
  if (minutes === 1) return 'every minute'
  return minutes === 60 ? 'every hour' : `every ${minutes} minutes`
}
