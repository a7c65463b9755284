import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { findDocumentToRead, readViews, recordReads, retryFailedAuditEvents } from '../../db/queries/read-traces.ts'
import type { ReadTrace } from '../../db/queries/read-traces.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { verifyChains } from '../support/audit-chains.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { breakGlassOf, glassReason, letClinicianIn, operatorOf } from '../support/grounds.ts'
import { testDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'

const traceOf = (by: Account, fields: Partial<ReadTrace> = {}): ReadTrace => ({
  trace_id: randomUUID(),
  read_at: new Date().toISOString(),
  account_id: by.accountId,
  patient_id: by.profileId,
  view: 'document',
  record_id: randomUUID(),
  basis: 'owner',
  grant_id: by.profileId,
  correlation_id: 'request-1',
  client_address: '192.0.2.7',
  count: 1,
  ...fields,
})
const record = (db: Database, traces: readonly ReadTrace[]) => asService(db, {}, (tx) => recordReads(tx, traces))

test('a read is in the log with who, what, when, from where and on what ground', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [patient, doctor, helper] = [await signUp(db), await signUp(db), await operatorOf(db, owner)]
  const approval = await letClinicianIn(db, helper, { doctor, by: patient, patientId: patient.profileId })
  const glass = await breakGlassOf(db, helper, patient.profileId)
  const read_at = '2026-02-03T04:05:06.123456+00:00'
  const seen = { patient_id: patient.profileId, record_id: 'r', read_at }
  await record(db, [
    traceOf(doctor, { ...seen, basis: 'provider', grant_id: approval, view: 'document_facts', count: 3 }),
    traceOf(helper, { ...seen, basis: 'break_glass', grant_id: glass, client_address: null }),
  ])

  const rows = await owner`
    select table_name, record_id, operation, old_values, new_values, reason, compliance_category, patient_id, changed_by,
      actor_role, job_id, correlation_id, host(ip_address) as address, changed_at at time zone 'UTC' as at
    from audit_log where operation = 'SELECT' order by table_name`
  const same = {
    record_id: 'r',
    operation: 'SELECT',
    old_values: null,
    patient_id: patient.profileId,
    actor_role: 'authenticated',
    job_id: null,
    correlation_id: 'request-1',
  }
  t.match(rows, [
    {
      ...same,
      table_name: 'entity_processing_audit_v2',
      new_values: { view: 'document_facts', basis: 'provider', grant_id: approval, count: 3 },
      reason: 'second_opinion',
      compliance_category: 'clinical_data',
      changed_by: doctor.accountId,
      address: '192.0.2.7',
    },
    {
      ...same,
      table_name: 'shell_files',
      new_values: { view: 'document', basis: 'break_glass', grant_id: glass, count: 1 },
      reason: 'emergency_care',
      compliance_category: 'document',
      changed_by: helper.accountId,
      address: null,
    },
  ])
  const [log] = await owner<{ text: string }[]>`select string_agg(log::text, ' ') as text from audit_log as log`
  t.notOk(log?.text.includes(glassReason), 'what was said when breaking the glass stays where it was said')
})

test('the ground of a read is found by the statement that reads', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [parent, friend, doctor, helper, stranger] = [
    await signUp(db),
    await signUp(db),
    await signUp(db),
    await operatorOf(db, owner),
    await signUp(db),
  ]
  const childId = await makeProfile(db, parent)
  const { shell_file_id: id } = await upload(db, parent, { patientId: childId })
  const permission = await giveAccess(db, parent, friend, childId)
  const approved = { doctor, by: parent, patientId: childId, resources: ['document'] }
  const approval = await letClinicianIn(db, helper, approved)
  const glass = await breakGlassOf(db, helper, childId)
  const groundOf = async (who: Account, view: 'document' | 'document_facts' = 'document') => {
    const found = await asActor(db, who.actor, (tx) => findDocumentToRead(tx, id, view))
    return found === null ? null : [found.ground.basis, found.ground.grant_id, found.view]
  }
  t.same(await groundOf(parent), ['owner', childId, 'document'])
  t.same(await groundOf(friend), ['delegate', permission, 'document'])
  t.same(await groundOf(doctor), ['provider', approval, 'document'])
  t.same(await groundOf(helper, 'document_facts'), ['break_glass', glass, 'document_facts'])
  t.same(
    await groundOf(doctor, 'document_facts'),
    ['provider', approval, 'document'],
    'who asks for facts and may see the document alone has seen the document',
  )
  t.equal(await groundOf(stranger), null)

  const doctorsGlass = await breakGlassOf(db, doctor, childId)
  t.same(await groundOf(doctor), ['provider', approval, 'document'], 'what was allowed goes before what was broken')
  t.same(await groundOf(doctor, 'document_facts'), ['break_glass', doctorsGlass, 'document_facts'])
  await giveAccess(db, parent, doctor, childId)
  t.equal((await groundOf(doctor))?.[0], 'delegate')
  t.equal(await askOne(db, stranger.actor, sql`select public.read_basis(${childId}, 'document') as value`), null)
})

test('the server and the database know the same views', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const known = await owner<{ view: string; missing: boolean }[]>`
    select known.view, to_regclass('public.' || known.table_name) is null as missing from traced_views() as known`
  t.same(known.map(({ view }) => view).toSorted(), readViews.toSorted())
  t.notOk(known.some(({ missing }) => missing))
})

test('a batch over the edge of a month, and into one without a part, lands where it happened', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [edge] = await owner<{ month: string; before: string; after: string }[]>`
    select to_char(date_trunc('month', now() at time zone 'UTC'), 'YYYY_MM') as month,
      ((date_trunc('month', now() at time zone 'UTC') - interval '1 microsecond') at time zone 'UTC')::text as before,
      (date_trunc('month', now() at time zone 'UTC') at time zone 'UTC')::text as after`
  await record(db, [traceOf(person, { read_at: edge?.before ?? '' }), traceOf(person, { read_at: edge?.after ?? '' })])
  const parts = () =>
    owner<{ name: string }[]>`
      select tableoid::regclass::text as name from audit_log where operation = 'SELECT' order by changed_at`
  t.same([...(await parts())], [{ name: 'audit_log_default' }, { name: `audit_log_${edge?.month}` }])

  await serve(db, sql`select public.ensure_audit_partitions()`)
  t.not((await parts())[0]?.name, 'audit_log_default')
  await serve(db, sql`select public.seal_audit_log()`)
  t.ok((await verifyChains(owner)).every((chain) => chain.first_broken === null && chain.unsealed === 0))
})

test('one trace that cannot be written costs no other its place, and is kept', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [good, alsoGood] = [traceOf(person), traceOf(person)]
  const bad: Readonly<Record<string, object>> = {
    'a view that nobody knows': { view: 'diary' },
    'a ground that is none': { basis: 'curiosity' },
    'nobody who read': { account_id: null },
    'nobody who was read about': { patient_id: null },
    'a time that is none': { read_at: 'soon' },
    'a time that never comes': { read_at: 'infinity' },
    'an address that is none': { client_address: 'elsewhere' },
    'an id that is none': { trace_id: '7' },
    'no reads': { count: 0 },
  }
  const batch = [good, ...Object.values(bad).map((field) => ({ ...traceOf(person), ...field })), alsoGood]
  const send = () =>
    serve<{ count: number }>(db, sql`select public.record_reads(${JSON.stringify(batch)}::text::jsonb) as count`)
  t.same(await send(), [{ count: Object.keys(bad).length }])
  const written = await owner`select id from audit_log where operation = 'SELECT' order by id`
  t.same(written.map((row) => String(row['id'])).toSorted(), [good.trace_id, alsoGood.trace_id].toSorted())
  const kept = await owner`
    select audit_payload, failure_code, recovery_attempts, recovered_at from failed_audit_events order by created_at`
  t.equal(kept.length, Object.keys(bad).length)
  for (const row of kept) t.match(row['failure_code'], /^[0-9A-Z]{5}$/)
  t.ok(kept.some((row) => row['audit_payload'].view === 'diary' && row['failure_code'] === '23502'))
})

test('what the log refused is written once it takes it, and not tried for ever', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await owner`alter table audit_log add constraint full_disk check (operation <> 'SELECT') not valid`
  const [first, second] = [traceOf(person, { read_at: '2026-03-04T05:06:07Z' }), traceOf(person)]
  t.equal(await record(db, [first, second]), 2)
  t.equal(await record(db, [first, second]), 2, 'sent again, they are kept once')
  const retry = () => asService(db, {}, (tx) => retryFailedAuditEvents(tx, 10))
  const state = () =>
    owner`select failure_code, recovery_attempts, recovered_at is not null as done from failed_audit_events`

  t.equal(await retry(), 2)
  t.equal(await retry(), 0, 'the next time is not at once')
  const refused = { failure_code: '23514', recovery_attempts: 1, done: false }
  t.same([...(await state())], [refused, refused])

  await owner`update failed_audit_events set recovery_attempts = 12 where id = ${second.trace_id}`
  await owner`update failed_audit_events set created_at = now() - interval '3 days'`
  await owner`alter table audit_log drop constraint full_disk`
  t.equal(await retry(), 1, 'twelve times are enough; the row stays for an operator')
  const [row] = await owner`select changed_at from audit_log where id = ${first.trace_id}`
  t.same(row?.['changed_at'], new Date(first.read_at), 'it is in the log as of when it happened')
  t.equal(await retry(), 0)
  t.equal((await owner`select from failed_audit_events where recovered_at is not null`).length, 1)
})

test('a batch that is sent again writes nothing twice, and two servers do not wait for each other', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const batches = Array.from({ length: 6 }, () => Array.from({ length: 50 }, () => traceOf(person)))
  await Promise.all([...batches, ...batches].map((batch) => record(db, batch)))
  t.equal((await owner`select from audit_log where operation = 'SELECT'`).length, 300)
  t.equal((await owner`select from failed_audit_events`).length, 0)

  await owner.begin(async (slow) => {
    await slow`select record_reads(${slow.json([traceOf(person)])})`
    await asService(db, {}, async (tx) => {
      await tx.execute(sql`set local lock_timeout = '2s'`)
      t.equal(await recordReads(tx, [traceOf(person)]), 0)
    })
  })
})

test('a batch that comes while parts are being made is written whole', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const old = (day: number) => traceOf(person, { read_at: `2024-05-0${day}T00:00:00Z` })
  await record(db, [old(1)])
  const [begun, busy] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const made = owner.begin(async (tx) => {
    await tx`select ensure_audit_partitions()`
    begun.resolve()
    await busy.promise
  })
  await begun.promise
  const batches = Array.from({ length: 3 }, () => record(db, [old(2), old(3), traceOf(person)]))
  await eventually(async () => {
    const waiting = await owner`select from pg_locks where not granted and relation = 'audit_log'::regclass`
    assert.equal(waiting.length, 3)
  })
  busy.resolve()
  await made
  t.same(await Promise.all(batches), [0, 0, 0])
  const rows = await owner<{ name: string; rows: number }[]>`
    select tableoid::regclass::text as name, count(*)::int as rows
    from audit_log where operation = 'SELECT' group by 1 order by 1`
  t.match(rows, [{ name: 'audit_log_2024_05', rows: 7 }, { rows: 3 }])
  t.equal((await owner`select from failed_audit_events`).length, 0)
})

test('reads are sealed with everything else, and 5,000 mixed rows hold', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  for (let n = 0; n < 10; n += 1) {
    await record(
      db,
      Array.from({ length: 250 }, () => traceOf(person)),
    )
    await owner`select log_audit_event('x', n::text, 'UPDATE') from generate_series(1, 250) as n`
    await serve(db, sql`select public.seal_audit_log(300)`)
  }
  await serve(db, sql`select public.seal_audit_log()`)
  const [chain] = await verifyChains(owner)
  t.match(chain, { rows: 5001, unsealed: 0, first_broken: null })
  await owner.unsafe(`alter table ${chain?.partition} disable trigger append_only`)
  const [altered] = await owner<{ id: string }[]>`
    update audit_log set changed_by = null
    where id = (select id from audit_log where operation = 'SELECT' order by chain_position offset 1200 limit 1)
    returning id`
  t.equal((await verifyChains(owner))[0]?.first_broken, altered?.id)
})

test('only services record reads, and nobody reads what failed', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  t.equal(await refusal(ask(db, person.actor, sql`select public.record_reads('[]')`)), '42501')
  t.equal(await refusal(ask(db, person.actor, sql`select public.retry_failed_audit_events()`)), '42501')
  t.equal(await refusal(ask(db, person.actor, sql`select * from failed_audit_events`)), '42501')
  t.equal(await refusal(serve(db, sql`delete from failed_audit_events`)), '42501')
  t.equal(await refusal(serve(db, sql`select public.write_read_traces('[]')`)), '42501')
})
