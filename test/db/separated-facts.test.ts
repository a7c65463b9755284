import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { listDecisions, separateFact } from '../../db/queries/fact-decisions.ts'
import { ask, ownerSql, refusal, serve, signUp, type Account } from '../support/actors.ts'
import { giveAccess } from '../support/factories.ts'
import { code, decide, edit, glucose, listOf, recordOf, runPasses, undo, wholeOf } from '../support/fact-decisions.ts'
import { makeFile } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

const nothingElse = 'EX411'
const separate = (
  db: Database,
  by: Account,
  id: string,
  apartFrom: 'other_documents' | 'all' = 'other_documents',
  seenVersion: string | null = null,
) => asActor(db, by.actor, (tx) => separateFact(tx, { id, seenVersion }, apartFrom))

const countOf = async (db: Database, person: Account) => (await recordOf(db, person)).length

test('what a person says is not the same is two things, in every later run, until it is taken back', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other, later] = [await makeFile(db, person), await makeFile(db, person), await makeFile(db, person)]
  for (const each of [file, other]) await runPasses(db, each, [glucose('5.1', '2021-03-04')])
  const record = await recordOf(db, person)
  t.equal(record.length, 1)
  const [seen] = await listOf(db, person, other)
  t.match(seen, { is_separate: false, also_in: [{ document_id: file.shellFileId }] })

  const decision = await separate(db, person, seen?.id ?? '', 'other_documents', seen?.version)
  t.equal(await separate(db, person, seen?.id ?? '', 'other_documents', seen?.version), decision, 'twice is once')
  const apart = {
    id: seen?.id,
    is_separate: true,
    also_in: [],
    in_record: true,
    review: 'accepted',
    decision_id: decision,
  }
  t.match(await listOf(db, person, other), [apart])
  t.match(await listOf(db, person, file), [{ also_in: [], review: 'unreviewed', is_separate: false }])
  t.match(await recordOf(db, person), [
    { id: record[0]?.['id'], shell_file_id: file.shellFileId, review: 'unreviewed' },
    { shell_file_id: other.shellFileId, review: 'accepted' },
  ])

  for (const each of [file, other]) await code(db, each)
  t.equal(await countOf(db, person), 2, 'coded again')
  await runPasses(db, other, [{ ...glucose('5.1', '2021-03-04', 13), ...samePlace }], 2)
  t.match(await listOf(db, person, other), [apart], 'read again')
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  t.equal(await countOf(db, person), 2, 'so is the other one')
  await runPasses(db, later, [glucose('5.1', '2021-03-04')])
  t.match(
    await listOf(db, person, later),
    [{ also_in: [{ document_id: file.shellFileId }] }],
    'a third joins what it can',
  )
  await ask(db, person.actor, sql`select public.delete_shell_file(${later.shellFileId})`)

  await undo(db, person, other, decision)
  t.equal(await countOf(db, person), 1)
  t.match(await recordOf(db, person), [{ id: record[0]?.['id'], review: 'unreviewed' }])
  await ask(db, person.actor, sql`select public.delete_shell_file(${other.shellFileId})`)
  await ask(db, person.actor, sql`select public.restore_shell_file(${other.shellFileId})`)
  t.equal(await countOf(db, person), 1)
})

const samePlace = { sources: glucose('5.1', '2021-03-04').sources ?? [] } as Pick<
  Parameters<typeof runPasses>[2][number],
  'sources'
>

test('taking a separation back leaves every row as it was', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  for (const each of [file, other])
    await runPasses(db, each, [glucose('5.1', '2021-03-04'), glucose('5.1', '2021-03-04', 90)])
  const before = await wholeOf(db, file)
  for (const each of [file, other]) {
    const [seen] = await listOf(db, person, each)
    const decision = await separate(db, person, seen?.id ?? '')
    t.equal(await countOf(db, person), 2)
    t.match(await listOf(db, person, each), [{ sources: [{}, {}] }], 'with all its places')
    await undo(db, person, each, decision)
    t.same(await wholeOf(db, file), before)
  }
})

test('one place of a document is set apart from its others', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(
    db,
    file,
    [10, 90, 200].map((start) => glucose('5.1', '2021-03-04', start)),
  )
  const before = await wholeOf(db, file)
  const [seen] = await listOf(db, person, file)
  t.equal(await refusal(separate(db, person, seen?.id ?? '')), nothingElse, 'no other document says it')
  const place = seen?.sources[1]
  const decision = await separate(db, person, place?.fact_id ?? '', 'all')
  const [two, one] = (await listOf(db, person, file)).toSorted((a, b) => b.sources.length - a.sources.length)
  t.match(two?.sources, [{ start: 10 }, { start: 200 }])
  t.match(one, { is_separate: true, sources: [{ start: 90, fact_id: place?.fact_id }] })
  t.equal(await countOf(db, person), 2)
  t.equal(await separate(db, person, place?.fact_id ?? '', 'all'), decision, 'twice is once')
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
})

test('what stands apart is corrected, rejected and taken back as anything else', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  for (const each of [file, other]) await runPasses(db, each, [glucose('5.1', '2021-03-04')])
  const [seen] = await listOf(db, person, other)
  const id = seen?.id ?? ''
  const decision = await separate(db, person, id)
  const apart = await wholeOf(db, file)
  const corrected = await edit(db, person, id, { value: '6' })
  t.match(await listOf(db, person, other), [{ value: '6', is_separate: true }])
  t.equal(await refusal(undo(db, person, other, decision)), '55000', 'the later one first')
  await undo(db, person, other, corrected)
  t.same(await wholeOf(db, file), apart)
  const again = await edit(db, person, id, { value: '5.1', referenceRange: '4-6' })
  t.equal(await countOf(db, person), 2, 'a correction does not join them')
  await undo(db, person, other, again)
  await decide(db, person, id, { decision: 'rejected', reason: 'duplicate' })
  t.match(await recordOf(db, person), [{ shell_file_id: file.shellFileId }])
})

test('it is for who may write, of facts in the record, and audited', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const [person, reader, stranger] = [await signUp(db), await signUp(db), await signUp(db)]
  await giveAccess(db, person, reader, person.profileId, { level: 'read_only' })
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  for (const each of [file, other]) await runPasses(db, each, [glucose('5.1', '2021-03-04')])
  const [seen] = await listOf(db, person, other)
  const id = seen?.id ?? ''
  for (const outsider of [reader, stranger]) t.equal(await refusal(separate(db, outsider, id)), 'P0002')
  t.equal(await refusal(separate(db, person, id, 'other_documents', '20200101000000000000')), 'EX412')
  const rejected = await decide(db, person, id, { decision: 'rejected', reason: 'duplicate' })
  t.equal(await refusal(separate(db, person, id)), 'EX412', 'what is not in the record')
  await undo(db, person, other, rejected)
  await separate(db, person, id)
  const [told] = await ask(
    db,
    person.actor,
    sql`select new_values, changed_by from audit_log
        where table_name = 'fact_review_decisions' and operation = 'INSERT' order by changed_at desc limit 1`,
  )
  t.match(told, { new_values: { decision: 'separated', decided_by: person.accountId }, changed_by: person.accountId })
  const rows = await asActor(db, person.actor, (tx) => listDecisions(tx, other.shellFileId))
  t.match(rows, [{ decision: 'separated' }, { decision: 'rejected' }])

  await ownerSql(t, ownerUrl)`select erase_shell_file(${other.shellFileId})`
  t.match(await listOf(db, person, file), [{ also_in: [], in_record: true }])
  t.equal((await serve(db, sql`select id from patient_clinical_events`)).length, 1)
})
