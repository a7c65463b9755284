import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { listAccessLog } from '../../db/queries/access-log.ts'
import type { AccessLogCursor } from '../../db/queries/access-log.ts'
import { findDocumentToRead, recordReads } from '../../db/queries/read-traces.ts'
import type { DocumentView } from '../../db/queries/read-traces.ts'
import { anonymous, ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { beginStage, giveAccess, makeProfile, upload } from '../support/factories.ts'
import { breakGlassOf, glassReason, letClinicianIn, operatorOf } from '../support/grounds.ts'
import { testDatabase } from '../support/postgres.ts'

type Page = { readonly limit?: number; readonly before?: AccessLogCursor | null; readonly who?: 'everybody' | 'others' }

const accessLog = (db: Database, who: Account, profileId: string, page: Page = {}) =>
  asActor(db, who.actor, (tx) => listAccessLog(tx, { profileId, limit: 200, before: null, who: 'everybody', ...page }))

/** Looks at a document, and leaves the trace that the server would. */
async function look(db: Database, who: Account, documentId: string, view: DocumentView = 'document'): Promise<void> {
  const seen = await asActor(db, who.actor, (tx) => findDocumentToRead(tx, documentId, view))
  if (seen === null) throw new Error('this document cannot be seen')
  const { resource_type: _, ...ground } = seen.ground
  const trace = {
    ...ground,
    view: seen.view,
    account_id: who.accountId,
    patient_id: seen.file.patientId,
    record_id: documentId,
    correlation_id: 'c',
    client_address: null,
    count: 2,
  }
  await asService(db, {}, (tx) => recordReads(tx, [trace]))
}

test('a parent reads who saw and changed what of a child, when and on what ground', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [parent, aunt, doctor, helper] = [
    await signUp(db, 'Parent'),
    await signUp(db, 'Aunt'),
    await signUp(db, 'Nickname'),
    await operatorOf(db, owner, 'Helper'),
  ]
  const childId = await makeProfile(db, parent)
  await giveAccess(db, parent, aunt, childId, { level: 'read_write' })
  await letClinicianIn(db, helper, { doctor, by: parent, patientId: childId })
  await breakGlassOf(db, helper, childId)
  const { shell_file_id: id } = await upload(db, aunt, { patientId: childId })
  await serve(db, sql`select public.begin_stage(${id}, 'security_scan', '1')`, { initiatedBy: aunt.accountId })
  await look(db, parent, id)
  await look(db, aunt, id, 'document_text')
  await look(db, doctor, id, 'document_facts')
  await look(db, helper, id, 'document_content')

  const reads = { resource: 'shell_files', record_id: id, operation: 'SELECT', count: 2 }
  const nothing = { on_behalf_of: null, shared_by: null, reason: null, explanation: null }
  t.match((await accessLog(db, parent, childId)).slice(0, 6), [
    {
      ...nothing,
      ...reads,
      who_kind: 'account',
      who: 'Helper',
      basis: 'break_glass',
      reason: 'emergency_care',
      explanation: glassReason,
      view: 'document_content',
    },
    {
      ...nothing,
      ...reads,
      resource: 'entity_processing_audit_v2',
      who_kind: 'clinician',
      who: 'Dr Ada Hart',
      basis: 'provider',
      reason: 'second_opinion',
      view: 'document_facts',
    },
    {
      ...nothing,
      ...reads,
      resource: 'shell_file_texts',
      who_kind: 'account',
      who: 'Aunt',
      basis: 'delegate',
      shared_by: 'Parent',
      view: 'document_text',
    },
    { ...nothing, ...reads, who_kind: 'account', who: 'Parent', basis: 'owner', view: 'document' },
    {
      ...nothing,
      who_kind: 'service',
      who: 'service',
      on_behalf_of: 'Aunt',
      basis: null,
      resource: 'shell_file_stages',
      operation: 'UPDATE',
      view: null,
      count: 1,
    },
    {
      ...nothing,
      who: 'Aunt',
      basis: 'delegate',
      shared_by: 'Parent',
      resource: 'shell_files',
      operation: 'INSERT',
      record_id: id,
    },
  ])
})

test('grounds are told after they have ended, and names after nobody has them any more are not', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, friend] = [await signUp(db, 'Person'), await signUp(db, 'Friend')]
  const permission = await giveAccess(db, person, friend, person.profileId, { level: 'read_write' })
  const { shell_file_id: id } = await upload(db, friend, { patientId: person.profileId })
  await look(db, friend, id)
  await ask(db, person.actor, sql`select public.revoke_profile_access(${permission})`)
  const byFriend = async () =>
    (await accessLog(db, person, person.profileId))
      .filter(({ resource }) => resource === 'shell_files')
      .map(({ who, basis, shared_by, operation }) => [operation, who, basis, shared_by])
  t.same(await byFriend(), [
    ['SELECT', 'Friend', 'delegate', 'Person'],
    ['INSERT', 'Friend', 'delegate', 'Person'],
  ])

  await owner`
    update user_profiles set account_owner_id = null, erased_at = now() where account_owner_id = ${friend.accountId}`
  t.same(await byFriend(), [
    ['SELECT', null, 'delegate', 'Person'],
    ['INSERT', null, 'delegate', 'Person'],
  ])
})

test('only who holds the profile as its owner reads its log', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, delegates, stranger, childId } = await castOf(db, owner)
  const doctor = await signUp(db)
  const helper = await operatorOf(db, owner)
  await letClinicianIn(db, helper, { doctor, by: guardian, patientId: childId })
  await breakGlassOf(db, helper, childId)
  for (const reader of [guardian, delegates.owner]) t.ok((await accessLog(db, reader, childId)).length > 0)
  const { owner: _, ...others } = delegates
  for (const [name, reader] of Object.entries({ ...others, stranger, doctor, helper }))
    t.equal(await refusal(accessLog(db, reader, childId)), '42501', name)
  t.equal(await refusal(accessLog(db, guardian, randomUUID())), '42501', 'nor of anybody who does not exist')
  t.equal(await refusal(ask(db, anonymous, sql`select * from public.patient_access_log(${childId})`)), '42501')
  const mine = await accessLog(db, stranger, stranger.profileId)
  t.same(
    mine.map(({ resource, record_id: id }) => [resource, id]),
    [['user_profiles', stranger.profileId]],
  )
})

test('what an account did itself can be left out', async (t) => {
  const { db } = await testDatabase(t)
  const [person, friend] = [await signUp(db), await signUp(db, 'Friend')]
  await giveAccess(db, person, friend, person.profileId)
  const { shell_file_id: id } = await upload(db, person)
  await beginStage(db, id, 'security_scan')
  for (const who of [person, friend, person]) await look(db, who, id)
  const others = await accessLog(db, person, person.profileId, { who: 'others' })
  t.same(
    others.map(({ who, operation }) => [who, operation]).slice(0, 3),
    [
      ['Friend', 'SELECT'],
      ['service', 'UPDATE'],
      ['Friend', 'UPDATE'],
    ],
    'reading, processing that nobody started, and accepting the access',
  )
})

test('pages of the log show each entry once, also where many happened at one moment', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await owner`
    insert into audit_log (table_name, record_id, operation, actor_role, patient_id, changed_at)
    select 'x', n::text, 'UPDATE', 'x', ${person.profileId}, now() - (n / 7) * interval '20 days'
    from generate_series(0, 40) as n`
  await serve(db, sql`select public.ensure_audit_partitions()`)
  const whole = await accessLog(db, person, person.profileId)
  t.equal(whole.length, 42)
  const seen: string[] = []
  for (let before: AccessLogCursor | null = null; ;) {
    // One more than asked for, if there are more.
    const page = await accessLog(db, person, person.profileId, { limit: 4, before })
    const shown = page.slice(0, 4)
    seen.push(...shown.map((entry) => entry.entry_id))
    const last = shown.at(-1)
    if (page.length < 5 || last === undefined) break
    before = { at: last.at, id: last.entry_id }
    await owner`
      insert into audit_log (table_name, record_id, operation, actor_role, patient_id)
      values ('x', 'later', 'UPDATE', 'x', ${person.profileId})`
  }
  t.same(
    seen,
    whole.map((entry) => entry.entry_id),
  )
  const times = whole.map(({ at }) => Date.parse(at))
  t.same(
    times,
    times.toSorted((a, b) => b - a),
  )

  const [oldest] = whole.slice(-1)
  const byTimeAlone = await ask(
    db,
    person.actor,
    sql`select from public.patient_access_log(p_profile_id => ${person.profileId}, p_before => ${oldest?.at ?? ''})`,
  )
  t.equal(byTimeAlone.length, 0, 'without an id a page begins before that moment')
})

test('a page costs what it shows, however long the log is', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, ...others] = await Promise.all(Array.from({ length: 20 }, () => signUp(db)))
  if (person === undefined) throw new Error('nobody signed up')
  const everybody = [person, ...others].map(({ profileId }) => profileId)
  await owner`
    insert into audit_log (table_name, record_id, operation, actor_role, patient_id, changed_at)
    select 'x', n::text, 'UPDATE', 'x', (${everybody}::uuid[])[1 + n % 20], now() - n * interval '4 minutes'
    from generate_series(0, 30000) as n`
  await serve(db, sql`select public.ensure_audit_partitions()`)
  await owner`analyze audit_log`
  const { planned, spent } = await asActor(db, person.actor, async (tx) => {
    const readPages = async () => {
      for (let round = 0; round < 7; round += 1)
        await listAccessLog(tx, {
          profileId: person.profileId,
          limit: 50,
          before: { at: new Date(Date.now() - round * 7 * 86_400_000).toISOString(), id: randomUUID() },
          who: 'others',
        })
      const [cost] = await tx.execute<{ scans: number; scanned: number; fetched: number; parts: number }>(sql`
        select sum(seq_scan)::int as scans, sum(seq_tup_read)::int as scanned,
          (select sum(idx_tup_fetch)::int from pg_stat_xact_user_tables where relname ~ '^audit_log_') as fetched,
          count(*)::int as parts
        from pg_stat_xact_user_tables where relname ~ '^audit_log_' and idx_tup_fetch > 0`)
      if (cost === undefined) throw new Error('nothing was read')
      return cost
    }
    // While it has no plan to keep, a session also looks where each month begins and ends.
    return { planned: await readPages(), spent: await readPages() }
  })
  t.match(spent, { scans: 0, scanned: 0 })
  t.ok(spent.parts > 2, 'the log lies in several months')
  const fetched = spent.fetched - planned.fetched
  t.ok(fetched < 7 * (51 + 2 * spent.parts), `${fetched} rows looked at for 357`)
})
