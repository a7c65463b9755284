import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Actor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { documentsPage, timelineOf } from '../../bench/rls/reading.ts'
import { ownerSql, signUp } from '../support/actors.ts'
import { giveAccess } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const filled = [
  'shell_files',
  'patient_clinical_events',
  'patient_observations',
  'patient_medications',
  'patient_conditions',
]

test('one patient among many is found by index, and access is asked about once a statement', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, delegate] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, delegate, person.profileId)
  await fill(owner, person.accountId)
  for (const [name, actor] of [['the person', person.actor] as const, ['a delegate', delegate.actor] as const]) {
    for (const query of [documentsPage, timelineOf('public.patient_record')]) {
      const plan = await planOf(db, actor, query.replaceAll('$1', `'${person.profileId}'`))
      const scanned = [...plan.matchAll(/Seq Scan on (?:public\.)?(\w+)/g)].map(([, table]) => table)
      t.same(
        scanned.filter((table) => filled.includes(table ?? '')),
        [],
        `${name} scans no filled table`,
      )
      t.ok(/Index (Only )?Scan (using|on) \w+/.test(plan))
      t.equal(plan.match(/accessible_profile_ids/g)?.length, 1, 'one question')
      t.ok(plan.includes('InitPlan'))
    }
  }
})

async function planOf(db: Database, actor: Actor, query: string): Promise<string> {
  const lines = await asActor(db, actor, (tx) =>
    tx.execute<{ 'QUERY PLAN': string }>(sql.raw(`explain (verbose, costs off) ${query}`)),
  )
  return lines.map((line) => line['QUERY PLAN']).join('\n')
}

/** Many patients of one account, each with files and events; what triggers would check is not made. */
async function fill(owner: postgres.Sql, accountId: string): Promise<void> {
  const spokes = {
    patient_observations: 'lab_result',
    patient_medications: 'medication',
    patient_conditions: 'condition',
  }
  await owner.begin(async (tx) => {
    for (const table of filled) await tx.unsafe(`alter table ${table} disable trigger user`)
    await tx`
      insert into user_profiles (account_owner_id, profile_type, display_name)
      select ${accountId}, 'child', 'Child ' || n from generate_series(1, 2500) as n`
    await tx`
      insert into shell_files (patient_id, filename, mime_type, size_bytes, sha256, storage_key)
      select id, 'x.pdf', 'application/pdf', 1, md5(id::text || n) || md5('x'), id || '/' || n
      from user_profiles, generate_series(1, 2) as n`
    for (const [table, type] of Object.entries(spokes)) {
      await tx`
        insert into patient_clinical_events (id, patient_id, shell_file_id, event_type, assertion, event_day, confidence)
        select public.uuid_v7(), patient_id, id, ${type}, 'present', date '2020-01-01' + n, 'high'
        from shell_files, generate_series(1, 1) as n`
      const column = { lab_result: ', observation_type', condition: ', condition_type' }[type] ?? ''
      await tx.unsafe(`
        insert into ${table} (event_id, patient_id, assertion, name${column})
        select id, patient_id, assertion, 'x' ${column === '' ? '' : ', event_type'}
        from patient_clinical_events where event_type = '${type}'`)
    }
    for (const table of filled) await tx.unsafe(`alter table ${table} enable trigger user`)
  })
  for (const table of [...filled, 'user_profiles']) await owner.unsafe(`analyze ${table}`)
}
