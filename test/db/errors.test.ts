import { inspect } from 'node:util'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { databaseError } from '../../db/errors.ts'
import { defineError } from '../../platform/errors.ts'
import { testDatabase } from '../support/postgres.ts'

test('errors of the database become errors of ours that say nothing of what was stored', async (t) => {
  const { ownerUrl, db } = await testDatabase(t)
  t.ok(ownerUrl)
  await db.drizzle.transaction(async (tx) => {
    await tx.execute(sql`create temp table people (
      name text constraint people_pkey primary key, age int constraint people_age_check check (age > 0), born date)`)
    await tx.execute(sql`insert into people values ('Ann Example', 40)`)
    const failing = [
      ['conflict', sql`insert into people values (${'Ann Example'}, 41)`],
      ['invalid_request', sql`insert into people values (${'Bob Secret'}, -1)`],
      ['invalid_request', sql`insert into people values ('x', 1, ${'Ann Example'})`],
      ['forbidden', sql`select * from pg_authid where rolname = ${'Ann Example'}`],
      ['database_refused', sql`select * from nothing_there where name = ${'Ann Example'}`],
      [
        'over_limit',
        sql`do ${sql.raw(`$$ begin raise sqlstate 'PT402' using message = 'The limit is reached.', hint = 'over_limit'; end $$`)}`,
      ],
    ] as const
    for (const [code, statement] of failing) {
      const error = await tx
        .transaction((inner) => inner.execute(statement))
        .then(
          () => null,
          (cause: unknown) => databaseError(cause),
        )
      t.equal(error?.code, code)
      t.notMatch(inspect(error, { depth: 9, showHidden: true }), /Ann|Secret|41/, `${code} keeps quiet`)
    }
  })
})

test('a constraint means what its domain says it means', async (t) => {
  const { db } = await testDatabase(t)
  const duplicate = defineError('duplicate_document', 409, 'You already have this document.')
  await db.drizzle.transaction(async (tx) => {
    await tx.execute(sql`create temp table files (sha text constraint files_sha_key unique)`)
    await tx.execute(sql`insert into files values ('a')`)
    const error = await tx
      .transaction((inner) => inner.execute(sql`insert into files values ('a')`))
      .then(
        () => null,
        (cause: unknown) => databaseError(cause, { files_sha_key: duplicate }),
      )
    t.equal(error?.code, 'duplicate_document')
  })
})

test('a database that has gone is something to wait for, and other errors are not ours to judge', async (t) => {
  const { db } = await testDatabase(t)
  await db.close()
  const error = await db.drizzle.execute(sql`select 1`).then(
    () => null,
    (cause: unknown) => databaseError(cause),
  )
  t.match(error, { code: 'database_unavailable', status: 503, retryAfterMs: 1_000 })
  t.equal(databaseError(new Error('something else')), null)
})
