import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import type { NewFact } from '../../db/queries/found-facts.ts'
import { ownerSql, serve, signUp, type Account } from '../support/actors.ts'
import { edit, glucose, listOf, recordOf, runPasses } from '../support/fact-decisions.ts'
import { makeFile, type File } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'
import { dated, line, medicine, remove, restore } from '../support/printed-lines.ts'

const eventsOf = (db: Database, { profileId }: Account) =>
  serve(
    db,
    sql`select event.id, event.event_date, event.confidence, event.shell_file_id, event.withdrawn_at is not null as is_withdrawn,
          medication.name, medication.strength, medication.form, medication.dose, medication.frequency_code
        from patient_clinical_events as event
        left join patient_medications as medication on medication.event_id = event.id
        where event.patient_id = ${profileId}
        order by event.event_type, medication.strength nulls first, event.event_date nulls first, event.id`,
  )
const decisionsOf = async (db: Database, file: File) =>
  (
    await serve<{ decision: string }>(
      db,
      sql`select decision from entity_processing_audit_v2 where shell_file_id = ${file.shellFileId} order by finding_key`,
    )
  ).map((row) => row.decision)
const full = { value: '500', unit: 'mg', detail: { frequencyCode: '2/d', frequency: 'twice daily', dose: '1 tablet' } }

test('what is said twice in a file is one event, and says what the fuller mention says', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [medicine(1, 'Metformin'), medicine(2, 'metformin', full)])
  t.match(await eventsOf(db, person), [{ name: 'metformin', strength: '500', dose: '1 tablet' }])
  t.same(await decisionsOf(db, file), ['merged', 'admitted'])
})

test('what differs stays apart, and what is not said decides nothing, whichever file comes first', async (t) => {
  const { db } = await testDatabase(t)
  const pairs: readonly (readonly [string, Partial<NewFact>, Partial<NewFact>, number])[] = [
    ['two strengths', { value: '500', unit: 'mg' }, { value: '1000', unit: 'mg' }, 2],
    ['taken and stopped', { detail: { clinicalStatus: 'active' } }, { detail: { clinicalStatus: 'stopped' } }, 2],
    ['present and denied', {}, { factStatus: 'negated' }, 2],
    [
      'two onsets',
      { factType: 'condition', ...dated('2015', 'onset') },
      { factType: 'condition', ...dated('2019', 'onset') },
      2,
    ],
    [
      'one onset, more exact',
      { factType: 'condition', ...dated('2015', 'onset') },
      { factType: 'condition', ...dated('2015-03', 'onset') },
      1,
    ],
    ['an onset, and none', { factType: 'condition', ...dated('2015', 'onset') }, { factType: 'condition' }, 1],
    [
      'two sides',
      { factType: 'procedure', detail: { laterality: 'left' } },
      { factType: 'procedure', detail: { laterality: 'right' } },
      2,
    ],
    [
      'two doses',
      { factType: 'immunization', ...dated('2015-01-01', 'given') },
      { factType: 'immunization', ...dated('2025-01-01', 'given') },
      2,
    ],
    ['two days', glucose('5.1', '2021-02-03'), glucose('5.1', '2021-02-04'), 2],
    ['two values of a day', glucose('5.1', '2021-02-03'), glucose('6', '2021-02-03'), 2],
    [
      'undated readings of two files',
      { ...glucose('5.1', ''), foundDate: null },
      { ...glucose('5.1', ''), foundDate: null },
      2,
    ],
  ]
  for (const [what, one, other, count] of pairs)
    for (const said of [
      [one, other],
      [other, one],
    ]) {
      const person = await signUp(db)
      for (const each of said) await runPasses(db, await makeFile(db, person), [line(1, { factText: 'Xyz', ...each })])
      t.equal((await eventsOf(db, person)).length, count, what)
    }
})

test('two strengths stay two although a file names the medicine alone, and the bare mention goes where it can', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [bare, low, high] = [await makeFile(db, person), await makeFile(db, person), await makeFile(db, person)]
  const of = (value: string) => [medicine(1, 'Aspirin', { value, unit: 'mg' })]
  await runPasses(db, bare, [medicine(1, 'Aspirin')])
  await runPasses(db, low, of('100'))
  t.match(await eventsOf(db, person), [{ strength: '100', shell_file_id: low.shellFileId }], 'the later one says more')
  await runPasses(db, high, of('300'))
  t.match(await eventsOf(db, person), [{ strength: '100' }, { strength: '300' }])
  await remove(db, person, low)
  t.match(await eventsOf(db, person), [{ strength: '100', is_withdrawn: true }, { strength: '300' }])
  t.same(await decisionsOf(db, bare), ['merged'], 'with the one that is left')
  await remove(db, person, high)
  t.match(
    (await eventsOf(db, person)).filter((event) => event['is_withdrawn'] === false),
    [{ name: 'Aspirin', strength: null, shell_file_id: bare.shellFileId }],
    'nothing of what only files in the bin say',
  )
  for (const file of [low, high]) await restore(db, person, file)
  t.match(await recordOf(db, person), [{ value_text: '100' }, { value_text: '300' }])
})

test('an event of which the maker is erased, binned or read otherwise says what the others say', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const takeAway: readonly (readonly [string, (person: Account, maker: File) => Promise<unknown>])[] = [
    ['erased', (_, maker) => owner`select erase_shell_file(${maker.shellFileId})`.execute()],
    ['binned', (person, maker) => remove(db, person, maker)],
    ['read otherwise', (_, maker) => runPasses(db, maker, [medicine(9, 'Warfarin')], 2)],
  ]
  for (const [how, act] of takeAway) {
    const person = await signUp(db)
    const [maker, other] = [await makeFile(db, person), await makeFile(db, person)]
    await runPasses(db, maker, [medicine(1, 'METFORMIN', full)])
    await runPasses(db, other, [medicine(1, 'metformin', { value: '500', unit: 'mg' })])
    const [before] = await eventsOf(db, person)
    t.match(before, { name: 'METFORMIN', dose: '1 tablet', shell_file_id: maker.shellFileId }, how)
    await act(person, maker)
    const left = (await eventsOf(db, person)).filter((event) => event['strength'] !== null)
    const own = { id: before?.['id'], name: 'metformin', strength: '500', dose: null, frequency_code: null }
    t.match(left, [{ ...own, shell_file_id: other.shellFileId }], how)
    t.equal(left.length, 1, how)
  }
})

test('what a person corrected leads over fuller mentions, and goes with its file', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, file, [medicine(1, 'Metformin', { value: '50', unit: 'mg' })])
  const [seen] = await listOf(db, person, file)
  await edit(db, person, seen?.id ?? '', { value: '500', detail: { dose: 'half a tablet' } })
  await runPasses(db, other, [medicine(1, 'Metformin', full)])
  t.match(await eventsOf(db, person), [{ strength: '500', dose: 'half a tablet', shell_file_id: file.shellFileId }])
  t.same(await decisionsOf(db, other), ['merged'])
  await owner`select erase_shell_file(${file.shellFileId})`
  t.match(await eventsOf(db, person), [{ dose: '1 tablet', shell_file_id: other.shellFileId }])
  t.match(await recordOf(db, person), [{ review: 'unreviewed' }])
})

test('what a document was told of words that another one has taken away is told again', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  const [maker, other] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, maker, [medicine(1, 'METFORMIN', full)])
  await runPasses(db, other, [medicine(1, 'metformin')])
  const [event] = await eventsOf(db, person)
  const tell = () =>
    serve(
      db,
      sql`with story as (
            insert into clinical_narratives (patient_id, shell_file_id, title, ordinal, provider, model)
            values (${person.profileId}, ${other.shellFileId}, 'Medicines', 0, 'local', 'x') returning id)
          insert into clinical_narrative_sentences (narrative_id, ordinal, patient_id, sentence, cited_event_ids)
          select id, 0, ${person.profileId}, 'Metformin, one tablet.', array[${String(event?.['id'])}::uuid] from story`,
    )
  const sentences = () => serve(db, sql`select sentence from clinical_narrative_sentences`)
  await tell()
  await ownerSql(t, ownerUrl)`
    update shell_file_stages set status = 'completed' where shell_file_id = ${other.shellFileId}`
  await serve(db, sql`update job_queue set status = 'completed' where shell_file_id = ${other.shellFileId}`)
  await runPasses(db, await makeFile(db, person), [medicine(1, 'Metformin')])
  t.equal((await sentences()).length, 1, 'what adds nothing changes nothing')
  await remove(db, person, maker)
  t.same(await sentences(), [])
  const jobs = await serve(
    db,
    sql`select job_type from job_queue where shell_file_id = ${other.shellFileId} and status = 'pending'`,
  )
  t.same(jobs, [{ job_type: 'pass3_narrate' }])
})
