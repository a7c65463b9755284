import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { leftOutOfExports, recordSections, toldApart } from '../../../db/queries/record-sections.ts'
import type { Store } from '../../../platform/storage/store.ts'
import { createPrivacySchedules } from '../../../worker/privacy-schedules.ts'
import { asService } from '../../../db/actor.ts'
import { originalName } from '../../../worker/handlers/export/original-name.ts'
import { askOne, serve, signUp } from '../../support/actors.ts'
import type { Account } from '../../support/actors.ts'
import { archiveOf } from '../../support/archive.ts'
import type { Archive } from '../../support/archive.ts'
import { completeStages, makeProfile, upload } from '../../support/factories.ts'
import { fullRecord } from '../../support/full-record.ts'
import { openHouse } from '../../support/house.ts'
import type { House } from '../../support/house.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import type { Teardown } from '../../support/postgres.ts'

const requestExport = async ({ db }: House, by: Account, profileId = by.profileId) =>
  String(await askOne(db, by.actor, sql`select public.request_data_export(${profileId}) as value`))

async function exportOf(t: Teardown, house: House, by: Account, profileId = by.profileId) {
  const exportId = await requestExport(house, by, profileId)
  const runner = await stageRunner(t, house.db, { store: house.store })
  await runner.runAll()
  return await archiveOf(house.owner, house.store, exportId)
}

test('an export holds everything of a person', async (group) => {
  const house = await openHouse(group)
  const { owner } = house
  const record = await fullRecord(house)
  const { person } = record
  const archive = await exportOf(group, house, person)

  await group.test('every row of every table that is about the person', async (t) => {
    for (const { name, table, of } of recordSections) {
      const [counted] = await owner.unsafe<{ rows: number }[]>(
        of === 'file'
          ? `select count(*)::int as rows from ${table} where shell_file_id in (select id from shell_files where patient_id = $1)`
          : `select count(*)::int as rows from ${table} where ${of} = $1`,
        [person.profileId],
      )
      // The log goes on; the next export tells the rest.
      const since = name === 'access-log' ? await loggedAfter(owner, archive.rows(name)) : 0
      t.equal(archive.rows(name).length, (counted?.rows ?? 0) - since, name)
      t.ok(archive.rows(name).length > 0, `${name} is not empty`)
    }
  })

  await group.test('what hangs off them', async (t) => {
    const events = archive.rows('clinical-events').filter((event) => event['event_type'] === 'medication')
    t.match(events, [
      {
        in_short: { name: 'zanubrutinib' },
        patient_medications: { name: 'zanubrutinib' },
        patient_conditions: { name: 'zanubrutinib' },
        components: [{ name: 'zanubrutinib' }],
      },
    ])
    t.match(archive.rows('facts'), [
      { fact_text: 'zanubrutinib', sources: [{ quote: 'zanubrutinib', page_number: 1 }], codes: [{ rank: 1 }] },
    ])
    t.match(archive.rows('narratives'), [{ sentences: [{ sentence: 'zanubrutinib' }] }])
    const scanned = archive.rows('documents').find(({ id }) => id === record.scannedFileId)
    t.match(scanned, {
      uploaded_by: 'account of the profile',
      stages: [{ stage: 'security_scan', status: 'completed' }, {}, {}, {}, {}, {}],
      reviews: [{ review_type: 'identity' }],
      errors: [{ error_code: 'x' }],
    })
    t.match(archive.rows('pages')[1], { page: undefined, number: 2, words: [{ text: 'zanubrutinib' }] })
    t.match(archive.rows('texts'), [{ content: 'zanubrutinib' }])
    t.match(archive.rows('clinicians'), [{ purpose: 'treatment', clinician: { name: 'Dr Ada Helper' } }])
    t.match(archive.rows('emergency-access'), [{ account_id: 'clinician', clinician: { name: 'Dr Ada Helper' } }])
    t.match(archive.rows('access-grants'), [{ account_id: 'delegate', permission_level: 'read_write' }])
  })

  await group.test('the originals, but none in which malware was found', async (t) => {
    const { scannedFileId, infectedFileId } = record
    const original = archive.text(`originals/${scannedFileId}/discharge-quist.pdf`)
    t.equal(original, `%PDF ${person.profileId} zanubrutinib`)
    t.equal(archive.names.filter((name) => name.startsWith('originals/')).length, 1)
    t.match(archive.manifest.left_out, [
      { document: infectedFileId, reason: 'The file holds malware and is not handed out.' },
    ])
  })

  await group.test('what is kept of the account itself', async (t) => {
    const account: unknown = JSON.parse(archive.text('record/account.json'))
    t.match(account, {
      id: person.accountId,
      email: /wilhelmina/,
      login: { name: 'Wilhelmina Quist' },
      sessions: [{ ip_address: '203.0.113.77' }],
      plans: [{ plan_type: 'basic' }],
      roles: [{ role: 'operator' }],
      clinician: { profession: 'nurse' },
    })
    t.match(archive.text('record/account.json'), 'export_ready')
  })

  await group.test('a list of its files, each with the hash that it has', async (t) => {
    const { entries } = archive.manifest
    t.same([...entries.map(({ name }) => name), 'manifest.json'], archive.names)
    for (const { name, size_bytes: sizeBytes, sha256 } of entries) {
      const bytes = archive.bytes(name)
      t.equal(bytes.length, sizeBytes, name)
      t.equal(createHash('sha256').update(bytes).digest('hex'), sha256, name)
    }
    t.match(archive.manifest, { format: 'exora-export', exora_version: 'test', patient_id: person.profileId })
  })

  await group.test('a page to read, without scripts', (t) => {
    const page = archive.text('index.html')
    for (const words of ['Wilhelmina Quist', '1957-11-23', 'zanubrutinib', 'discharge-quist.pdf', 'Dr Ada Helper'])
      t.match(page, words)
    t.notMatch(page, /<script|onclick|javascript:|https?:/i)
    t.match(page, `href="originals/${record.scannedFileId}/discharge-quist.pdf"`)
    t.notMatch(page, `originals/${record.infectedFileId}`, 'what is not there is not linked')
    t.end()
  })

  await group.test('and nothing of anybody else', async (t) => {
    const text = archive.allText()
    const { friend, delegate, clinician, childId } = record
    for (const { accountId, profileId } of [friend, delegate, clinician]) {
      t.notMatch(text, accountId)
      t.notMatch(text, profileId)
    }
    t.notMatch(text, childId)
    t.notMatch(text, 'Ottilie')
    const [kept] = await owner<{ keys: string[]; tokens: string[] }[]>`
      select array(select storage_key from shell_files) as keys, array(select token from login.sessions) as tokens`
    for (const secret of [...(kept?.keys ?? []), ...(kept?.tokens ?? [])]) t.notMatch(text, secret)
  })
})

/** What happened once the log had been read: at least that the export was finished. */
async function loggedAfter(owner: postgres.Sql, rows: ReturnType<Archive['rows']>) {
  const [last] = rows.slice(-1)
  const later = await owner`
    select from audit_log as later
    join audit_log as last on last.patient_id = later.patient_id and last.changed_at < later.changed_at
    where last.id = ${String(last?.['id'])}`
  return later.length
}

test('every table there is, is part of an export or is left out for a reason', async (t) => {
  const { owner } = await openHouse(t)
  const tables = await owner<{ name: string }[]>`
    select case when class.relnamespace = 'public'::regnamespace then class.relname::text
      else class.relnamespace::regnamespace || '.' || class.relname end as name
    from pg_class as class
    where class.relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'auth'::regnamespace)
      and class.relkind in ('r', 'p') and not class.relispartition`
  const told = recordSections.flatMap(({ table, holds = [] }) => [table, ...holds])
  const covered = [...told, ...Object.keys(toldApart), ...Object.keys(leftOutOfExports)]
  t.same(covered.toSorted(), tables.map(({ name }) => name).toSorted())
})

test('the export of a child holds the child, and not the account of whoever asked', async (t) => {
  const house = await openHouse(t)
  const guardian = await signUp(house.db, 'Guardian')
  const childId = await makeProfile(house.db, guardian, { displayName: 'Ottilie' })
  const archive = await exportOf(t, house, guardian, childId)
  t.match(archive.rows('profile'), [{ display_name: 'Ottilie', account_owner_id: 'account of the profile' }])
  t.notOk(archive.names.includes('record/account.json'))
  t.notMatch(archive.allText(), guardian.accountId)
})

test('a record of many rows and files is read in many short steps, and is whole', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await owner`
    insert into processing_errors (shell_file_id, patient_id, stage, error_type, error_code, error_message, retry_count)
    select ${id}, ${person.profileId}, 'ocr', 'x', 'x', 'x', 0 from generate_series(1, 10)`
  await owner`
    insert into usage_events (account_id, profile_id, event_type, source_id, cycle_start)
    select ${person.accountId}, ${person.profileId}, 'ai_processed', 'job ' || number, current_date
    from generate_series(1, 1234) as number`
  await owner`
    insert into shell_files (patient_id, filename, mime_type, size_bytes, sha256, storage_key)
    select ${person.profileId}, 'f.pdf', 'application/pdf', 1, lpad(to_hex(number), 64, '0'), 'key ' || number
    from generate_series(1, 450) as number`
  const archive = await exportOf(t, house, person)
  t.equal(new Set(archive.rows('usage').map((row) => row['id'])).size, 1235)
  t.equal(new Set(archive.rows('documents').map((row) => row['id'])).size, 451)
  t.equal(archive.manifest.left_out.length, 451, 'none has been scanned')
})

test('what people upload cannot break out of the archive or of its page', async (t) => {
  const id = '01890000-0000-7000-8000-000000000000'
  const nameOf = (filename: string) => originalName({ id, filename })
  t.equal(nameOf('../../etc/passwd'), `${id}/_.._etc_passwd`)
  t.equal(nameOf('C:\\Windows\\x.pdf'), `${id}/C__Windows_x.pdf`)
  t.equal(nameOf('...'), `${id}/file`)
  t.equal(nameOf('a\u0000b\u202Efdp.exe'), `${id}/a_b_fdp.exe`)
  t.equal(nameOf(`${'ä'.repeat(250)}.pdf`), `${id}/${'ä'.repeat(59)}_${'ä'.repeat(16)}.pdf`)

  const house = await openHouse(t)
  const { db, store } = house
  const person = await signUp(db, '<script>alert(1)</script>')
  const { key } = await store.put(Readable.from([Buffer.from('x')]), { maxBytes: 10 })
  const { shell_file_id: file } = await upload(db, person, { storageKey: key, filename: '"><img src=x onerror=1>.pdf' })
  await completeStages(db, file, ['security_scan'])
  const archive = await exportOf(t, house, person)
  const page = archive.text('index.html')
  t.notMatch(page, /<script|<img/)
  t.match(page, '&lt;script&gt;')
  t.ok(archive.names.includes(`originals/${file}/___img src=x onerror=1_.pdf`))
  t.match(page, `originals/${file}/___img%20src%3Dx%20onerror%3D1_.pdf`)
})

test('an attempt that breaks off leaves no archive, and the next one makes it', async (t) => {
  const house = await openHouse(t)
  const { db, owner, store } = house
  const person = await signUp(db)
  const exportId = await requestExport(house, person)
  let isAway = true
  const flaky: Store = {
    ...store,
    put: async (source, limits) => {
      const put = await store.put(source, limits)
      if (isAway) throw new Error('the answer was lost')
      return put
    },
  }
  const runner = await stageRunner(t, db, { store: flaky })
  t.match(await runner.runOne(), { type: 'export_record', settled: 'retrying' })
  t.same(await Array.fromAsync(store.list()), [], 'what had been written is gone')

  isAway = false
  await owner`update job_queue set scheduled_at = now() where status = 'pending'`
  t.match(await runner.runOne(), { type: 'export_record', settled: 'completed' })
  t.ok(await archiveOf(owner, store, exportId))
  t.equal((await Array.fromAsync(store.list())).length, 1)
})

test('what a killed attempt left in the store is deleted by the next, or by the sweep', async (t) => {
  const house = await openHouse(t)
  const { db, owner, store } = house
  const person = await signUp(db)
  const left = async (exportId: string) => {
    const { key } = await store.put(Readable.from([Buffer.from('half an archive')]), { maxBytes: 100 })
    await serve(db, sql`select public.begin_data_export(${exportId}::uuid, ${key})`)
    return key
  }
  const runner = await stageRunner(t, db, { store })
  const first = await left(await requestExport(house, person))
  await runner.runAll()
  t.equal(await store.head(first), null)

  const second = await left(await requestExport(house, person))
  await owner`update job_queue set status = 'cancelled', completed_at = now() where status = 'pending'`
  await sweep(house)
  t.equal(await store.head(second), null)
  t.match(await owner`select status, storage_key from data_exports order by requested_at desc`, [
    { status: 'failed', storage_key: null },
    { status: 'ready', storage_key: String },
  ])
})

test('an archive is deleted when its days are over', async (t) => {
  const house = await openHouse(t)
  const { db, owner, store } = house
  const person = await signUp(db)
  const exportId = await requestExport(house, person)
  await (await stageRunner(t, db, { store })).runAll()
  await sweep(house)
  t.equal((await Array.fromAsync(store.list())).length, 1, 'not before')

  await owner`update data_exports set expires_at = now() where id = ${exportId}`
  await sweep(house)
  t.same(await Array.fromAsync(store.list()), [])
  t.match(await owner`select status, storage_key from data_exports`, [{ status: 'expired', storage_key: null }])
})

async function sweep({ db, store }: House): Promise<void> {
  const schedule = createPrivacySchedules(store).find(({ name }) => name === 'expire_data_exports')
  await schedule?.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
}
