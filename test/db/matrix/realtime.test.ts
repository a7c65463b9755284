import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import { readersOf } from '../../../db/queries/realtime.ts'
import { ask, ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { actorsOf, matrixCast } from './cast.ts'

test('who is told of a document as it happens is exactly who may read it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const people = (await owner<{ id: string }[]>`select id from user_profiles`).map(({ id }) => id)
  await Promise.all(
    people.map(
      (id) => owner`
        insert into shell_file_events (shell_file_id, patient_id, file_status)
        select (select file.id from shell_files as file limit 1), ${id}, 'uploaded'`,
    ),
  )
  const readers = await asService(db, {}, (tx) => readersOf(tx, people))
  const isReader = (patientId: string, accountId: string | null) =>
    accountId !== null && (readers.get(patientId) ?? []).includes(accountId)
  for (const [name, actor] of actorsOf(cast)) {
    const rows = await ask<{ patient_id: string }>(db, actor, sql`select distinct patient_id from shell_file_events`)
    const readable = rows.map((row) => row.patient_id).toSorted()
    t.same(people.filter((id) => isReader(id, actor.accountId)).toSorted(), readable, name)
  }
  t.ok((readers.get(cast.childId) ?? []).length >= 9, 'several of them')
})

test('an account that is being erased is told nothing more', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { accounts, childId } = await matrixCast(db, owner)
  const { accountId } = accounts.second_guardian
  const isTold = async () =>
    (await asService(db, {}, (tx) => readersOf(tx, [childId]))).get(childId)?.includes(accountId)
  t.equal(await isTold(), true)
  await owner`insert into account_closures (account_id, status, due_at) values (${accountId}, 'purging', now())`
  t.equal(await isTold(), false)
})
