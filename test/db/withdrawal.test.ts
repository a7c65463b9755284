import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { retractFile } from '../../db/queries/clinical.ts'
import { replaceNarratives } from '../../db/queries/narratives.ts'
import { ask, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { fillRecord, upload } from '../support/factories.ts'
import { edit, glucose, listOf, runPasses } from '../support/fact-decisions.ts'
import { admit, find, makeFile } from '../support/facts.ts'
import type { File } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

const remove = (db: Database, by: Account, file: File) =>
  ask(db, by.actor, sql`select public.delete_shell_file(${file.shellFileId})`)
const restore = (db: Database, by: Account, file: File) =>
  ask(db, by.actor, sql`select public.restore_shell_file(${file.shellFileId})`)
const recordOf = (db: Database, by: Account) =>
  ask(db, by.actor, sql`select * from patient_record where patient_id = ${by.profileId} order by id`)
const ownersOf = async (db: Database, by: Account) =>
  (await recordOf(db, by)).map((row) => ({ id: row['id'], file: row['shell_file_id'] }))
const storiesOf = (db: Database, by: Account) =>
  ask(
    db,
    by.actor,
    sql`select * from patient_narrative where patient_id = ${by.profileId} order by id, sentence_ordinal`,
  )

test('the record is without a deleted document, and as it was when it is restored', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = { shellFileId: (await upload(db, person)).shell_file_id, patientId: person.profileId }
  await fillRecord(db, { id: file.shellFileId, patientId: file.patientId })
  const [edited] = await serve<{ id: string }>(
    db,
    sql`update patient_clinical_events
        set review = 'edited', encounter_id = (select id from healthcare_encounters)
        where event_type = 'medication' returning id`,
  )
  const deleted = await makeFile(db, person)
  const [archived = ''] = await find(db, deleted)
  await admit(db, deleted, archived)
  await serve(db, sql`update patient_medications set strength = '75' where event_id = ${edited?.id}`)
  await serve(db, sql`update patient_clinical_events set archived_at = now() where id = ${archived}`)
  const before = { record: await recordOf(db, person), stories: await storiesOf(db, person) }
  t.equal(before.record.length, 2)
  t.match(
    before.record.find((row) => row['id'] === edited?.id),
    { review: 'edited', encounter_id: String },
  )
  t.equal(before.stories.length, 1)

  for (const each of [file, deleted]) await remove(db, person, each)
  t.same(await recordOf(db, person), [])
  t.same(await storiesOf(db, person), [])
  for (const each of [deleted, file]) await restore(db, person, each)
  t.same(await recordOf(db, person), before.record, 'edits are there, and what was archived stays archived')
  t.same(await storiesOf(db, person), before.stories)
  const left = await serve(db, sql`select 1 from healthcare_encounters where withdrawn_at is not null`)
  t.same(left, [])
})

test('what another document says as well stays, as that document’s, and goes back to the first', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { first, second, event } = await twoFilesThatSay(db, person)
  t.same(await ownersOf(db, person), [{ id: event, file: first.shellFileId }])
  await remove(db, person, first)
  t.same(await ownersOf(db, person), [{ id: event, file: second.shellFileId }])
  await remove(db, person, second)
  t.same(await ownersOf(db, person), [], 'nobody says it any more')
  await restore(db, person, second)
  t.same(await ownersOf(db, person), [{ id: event, file: second.shellFileId }])
  await restore(db, person, first)
  t.same(await ownersOf(db, person), [{ id: event, file: first.shellFileId }])
})

test('a document that says the same while the first lies in the bin brings the event back, as that document says it', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [first, second] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, first, [glucose('51', '2021-03-04')])
  const [seen] = await listOf(db, person, first)
  await edit(db, person, seen?.id ?? '', { value: '5.1', unit: 'mmol/l' })
  const [before] = await recordOf(db, person)
  await remove(db, person, first)
  t.same(await recordOf(db, person), [])

  await runPasses(db, second, [{ ...glucose('5.1', '2021-03-04'), unit: 'mmol/l', factText: 'glucose' }])
  const [event, ...others] = await recordOf(db, person)
  t.same(others, [])
  const as = { name: 'glucose', shell_file_id: second.shellFileId, review: 'unreviewed' }
  t.match(event, { id: before?.['id'], ...as }, 'nothing of the one in the bin')
  await restore(db, person, first)
  t.same(await recordOf(db, person), [before], 'with what people made of it')
})

test('coding a document anew does not show what only a deleted one says', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { first, second, event } = await twoFilesThatSay(db, person)
  const third = await makeFile(db, person)
  const [also = ''] = await find(db, third)
  await admit(db, third, also)
  await remove(db, person, first)
  await asService(db, {}, (tx) => retractFile(tx, second.shellFileId))
  t.same(await ownersOf(db, person), [{ id: event, file: third.shellFileId }], 'the one in use is preferred')
  await asService(db, {}, (tx) => retractFile(tx, third.shellFileId))
  t.same(await ownersOf(db, person), [])
  const [again = ''] = await find(db, second)
  await admit(db, second, again)
  t.same(await ownersOf(db, person), [{ id: event, file: second.shellFileId }])
})

test('a sentence of another document is silent while what it cites lies in the bin', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [old, recent] = [await makeFile(db, person), await makeFile(db, person)]
  const [before = ''] = await find(db, old)
  await admit(db, old, before)
  const tell = () =>
    asService(db, {}, (tx) =>
      replaceNarratives(tx, recent, [
        {
          title: 'Medicines',
          provider: 'local',
          model: 'x',
          promptVersion: null,
          sentences: [{ sentence: 'Aspirin was listed before.', citedEventIds: [before] }],
        },
      ]),
    )
  await tell()
  await remove(db, person, old)
  t.same(await storiesOf(db, person), [])
  await t.rejects(tell(), 'nor is it told anew from what was read a moment ago')
  await restore(db, person, old)
  t.match(await storiesOf(db, person), [{ shell_file_id: recent.shellFileId, sentence: 'Aspirin was listed before.' }])
})

async function twoFilesThatSay(db: Database, person: Account) {
  const [first, second] = [await makeFile(db, person), await makeFile(db, person)]
  const [event = ''] = await find(db, first)
  await admit(db, first, event)
  const [same = ''] = await find(db, second)
  await admit(db, second, same)
  return { first, second, event }
}
