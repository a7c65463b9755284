import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { replaceNarratives } from '../../db/queries/narratives.ts'
import { ask, ownerSql, serve, signUp } from '../support/actors.ts'
import { fillRecord, upload } from '../support/factories.ts'
import { admit, find, makeFile } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

const erase = (owner: postgres.Sql, id: string) =>
  owner<{ key: string | null }[]>`select erase_shell_file(${id}) as key`

test('an erased document leaves nothing of itself in any table but the ledger, the audit and its ended jobs', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [token, key] = [randomUUID(), 'a key']
  await ask(db, person.actor, sql`select public.begin_idempotent_request(${person.profileId}, ${key}, ${token})`)
  const kept = await upload(db, person)
  const { shell_file_id: id } = await upload(db, person, { key: { key, token }, sizeBytes: 5 * 1_048_576 })
  await fillRecord(db, { id, patientId: person.profileId })
  await serve(db, sql`update job_queue set status = 'dead_letter', dead_letter_at = now() where shell_file_id = ${id}`)
  const [file] = await owner`select storage_key from shell_files where id = ${id}`

  t.same([...(await erase(owner, id))], [{ key: file?.['storage_key'] }])
  const mentions = await tablesThatMention(owner, id, [
    'shell_file_id',
    'id',
    'source_id',
    'record_id',
    'job_payload',
    'response_body',
  ])
  t.same(mentions, ['audit_log', 'job_queue', 'usage_events'])
  t.same(await serve(db, sql`select status from job_queue where shell_file_id = ${id}`), [{ status: 'cancelled' }])
  t.same(await serve(db, sql`select storage_key from erased_objects`), [{ storage_key: file?.['storage_key'] }])
  t.same(await serve(db, sql`select id from shell_files`), [{ id: kept.shell_file_id }], 'others stay')
  for (const table of ['patient_clinical_events', 'healthcare_encounters', 'clinical_narratives', 'fact_sources'])
    t.same(await serve(db, sql`select 1 from ${sql.identifier(table)}`), [], table)

  const { usage } = await usageOf(db, person)
  t.same([usage.shell_files.used, usage.storage.used_mb], [2, 0], 'storage is given back, what was read is not')
  t.same(await counterDifferences(db), [])
  t.same([...(await erase(owner, id))], [{ key: null }], 'and there is nothing to do a second time')
})

test('what another document says as well stays in the record, as that document’s', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [first, second] = [await makeFile(db, person), await makeFile(db, person)]
  const [one = ''] = await find(db, first)
  await admit(db, first, one)
  const [other = ''] = await find(db, second)
  await admit(db, second, other)
  await erase(owner, first.shellFileId)
  t.same(await serve(db, sql`select id, shell_file_id, withdrawn_at from patient_clinical_events`), [
    { id: one, shell_file_id: second.shellFileId, withdrawn_at: null },
  ])
  t.same(await serve(db, sql`select id, decision from entity_processing_audit_v2`), [
    { id: other, decision: 'admitted' },
  ])
  await erase(owner, second.shellFileId)
  t.same(await serve(db, sql`select 1 from patient_clinical_events`), [])
})

test('sentences of other documents go with the events that they cite', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [old, recent] = [await makeFile(db, person), await makeFile(db, person)]
  const [before = ''] = await find(db, old)
  await admit(db, old, before)
  const story = { title: 'Medicines', provider: 'local', model: 'x', promptVersion: null }
  await asService(db, {}, (tx) =>
    replaceNarratives(tx, recent, [
      { ...story, sentences: [{ sentence: 'Aspirin was listed.', citedEventIds: [before] }] },
    ]),
  )
  await erase(owner, old.shellFileId)
  t.same(await serve(db, sql`select 1 from clinical_narrative_sentences`), [])
  t.same(await serve(db, sql`select 1 from clinical_narratives`), [])
})

/** Every table of the record in which a value stands in one of these columns. */
async function tablesThatMention(owner: postgres.Sql, value: string, columns: readonly string[]): Promise<string[]> {
  const places = await owner<{ table: string; column: string }[]>`
    select found.table_name as table, found.column_name as column
    from information_schema.columns as found
    join pg_class as class on class.oid = format('public.%I', found.table_name)::regclass
    where found.table_schema = 'public' and class.relkind in ('r', 'p') and not class.relispartition
      and found.column_name in ${owner([...columns])}`
  const mentioned = new Set<string>()
  for (const { table, column } of places) {
    const [row] = await owner`
      select 1 from ${owner(table)} as row where strpos(row.${owner(column)}::text, ${value}) > 0 limit 1`
    if (row !== undefined) mentioned.add(table)
  }
  return [...mentioned].toSorted()
}
