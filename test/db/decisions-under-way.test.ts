import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { lockRecord, saveRecordChange, type CodedFactRow } from '../../db/queries/clinical.ts'
import { decideFact, separateFact, type FactVerdict } from '../../db/queries/fact-decisions.ts'
import { refusal, serve, signUp, type Account } from '../support/actors.ts'
import { decide, glucose, listOf, recordOf, runPasses, wholeOf } from '../support/fact-decisions.ts'
import { admitted, makeFile, type File } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

/** Until another session waits for a record that somebody holds: what is asked next is behind it in the queue. */
async function untilSomebodyWaits(db: Database): Promise<void> {
  for (;;) {
    const waiting = await serve(
      db,
      sql`select 1 from pg_locks
          where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())`,
    )
    if (waiting.length > 0) return
  }
}

/** What pass 2 does once it has coded, with what it had read before anybody decided. */
const saveCoded = (db: Database, file: File, facts: readonly CodedFactRow[]) =>
  asService(db, {}, async (tx) => {
    await lockRecord(tx, file.patientId)
    return await saveRecordChange(tx, file.shellFileId, { facts, codes: [] })
  })

async function oneResult(db: Database): Promise<{ person: Account; file: File; id: string }> {
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  return { person, file, id: (await listOf(db, person, file))[0]?.id ?? '' }
}

test('what a person decides while pass 2 waits to store what it read before stands', async (t) => {
  const { db } = await testDatabase(t)
  const verdicts: readonly FactVerdict[] = [{ decision: 'rejected', reason: 'not_said' }, { decision: 'accepted' }]
  for (const verdict of verdicts) {
    const { person, file, id } = await oneResult(db)
    let storing: Promise<unknown> = Promise.resolve()
    await asActor(db, person.actor, async (tx) => {
      await decideFact(tx, { id, seenVersion: null }, verdict)
      storing = saveCoded(db, file, [admitted(id)])
      await untilSomebodyWaits(db)
    })
    await storing
    t.match(await listOf(db, person, file), [{ id, review: verdict.decision }])
    const record = await recordOf(db, person)
    if (verdict.decision === 'rejected') t.same(record, [])
    else t.match(record, [{ id, name: 'Glucose', review: 'accepted' }])
  }
})

test('of two who decide at once in two sessions the second is told, and nothing of theirs is kept', async (t) => {
  const { db } = await testDatabase(t)
  const { person, file, id } = await oneResult(db)
  const [seen] = await listOf(db, person, file)
  let second: Promise<unknown> = Promise.resolve()
  await asActor(db, person.actor, async (tx) => {
    await decideFact(tx, { id, seenVersion: seen?.version ?? null }, { decision: 'accepted' })
    second = refusal(decide(db, person, id, { decision: 'rejected', reason: 'other' }, seen?.version))
    await untilSomebodyWaits(db)
  })
  t.equal(await second, 'EX412')
  t.match(await listOf(db, person, file), [{ review: 'accepted', in_record: true }])
})

test('a decision that is broken off leaves every row as it was', async (t) => {
  const { db } = await testDatabase(t)
  const { person, file, id } = await oneResult(db)
  const other = await makeFile(db, person)
  await runPasses(db, other, [glucose('5.1', '2021-03-04')])
  const before = await wholeOf(db, file)
  const broken = asActor(db, person.actor, async (tx) => {
    await separateFact(tx, { id, seenVersion: null }, 'other_documents')
    await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
  })
  await t.rejects(broken)
  t.same(await wholeOf(db, file), before)
})
