import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import { retractFile } from '../../db/queries/clinical.ts'
import { listFacts } from '../../db/queries/facts.ts'
import { loadFacts } from '../../db/queries/found-facts.ts'
import { recordOfFile, replaceNarratives } from '../../db/queries/narratives.ts'
import { serve, signUp } from '../support/actors.ts'
import { admit, find, makeFile, source, type File } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

const constraintOf = (work: Promise<unknown>) =>
  work.then(
    () => 'allowed',
    (error: unknown) => {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      return typeof cause === 'object' && cause !== null && 'constraint_name' in cause ? cause.constraint_name : error
    },
  )

test('a fact without words on a page does not exist', async (t) => {
  const { db } = await testDatabase(t)
  const file = await makeFile(db, await signUp(db))
  const insert = (id: string) => sql`
    insert into entity_processing_audit_v2 (id, patient_id, shell_file_id, text_version, finding_key, fact_type,
      fact_text, fact_status, detail, strength, found_by_pass, found_by_provider, found_by_model)
    values (${id}, ${file.patientId}, ${file.shellFileId}, 1, ${id}, 'medication', 'x', 'present', '{}', 'strong', 1, 'local', 'rules')`
  t.equal(await constraintOf(serve(db, insert(randomUUID()))), 'fact_has_source')

  const [id = ''] = await find(db, file)
  t.equal(await constraintOf(serve(db, sql`delete from fact_sources where fact_id = ${id}`)), 'fact_has_source')
  t.equal(await constraintOf(serve(db, sql`delete from entity_processing_audit_v2 where id = ${id}`)), 'allowed')
})

test("nothing of one person's file is written for another person", async (t) => {
  const { db } = await testDatabase(t)
  const [person, other] = [await signUp(db), await signUp(db)]
  const file = await makeFile(db, person)
  const stolen = { ...file, patientId: other.profileId }
  t.equal(await constraintOf(find(db, stolen)), 'same_patient_as_file')
  const [id = ''] = await find(db, file)
  t.equal(await constraintOf(admit(db, stolen, id)), 'same_patient_as_fact', 'with its codes')
  const event = sql`
    insert into patient_clinical_events (id, patient_id, shell_file_id, event_type, assertion, confidence)
    values (${id}, ${other.profileId}, ${file.shellFileId}, 'medication', 'present', 'high')`
  t.equal(await constraintOf(serve(db, event)), 'same_patient_as_file')
  t.equal(
    await constraintOf(serve(db, sql`update fact_sources set patient_id = ${other.profileId}`)),
    'same_patient_as_file',
  )

  const otherFile = await makeFile(db, other)
  const [otherId = ''] = await find(db, otherFile)
  await admit(db, otherFile, otherId)
  const merge = sql`update entity_processing_audit_v2 set decision = 'merged', event_id = ${otherId} where id = ${id}`
  t.equal(await constraintOf(serve(db, merge)), 'same_patient_as_event')
})

test('an event without the row that says what it is does not exist', async (t) => {
  const { db } = await testDatabase(t)
  const file = await makeFile(db, await signUp(db))
  const bare = (type: string, assertion: string) =>
    serve(
      db,
      sql`insert into patient_clinical_events (id, patient_id, shell_file_id, event_type, assertion, confidence)
          values (${randomUUID()}, ${file.patientId}, ${file.shellFileId}, ${type}, ${assertion}, 'high')`,
    )
  for (const type of [
    'medication',
    'lab_result',
    'condition',
    'allergy',
    'immunization',
    'procedure',
    'social_history',
  ])
    t.equal(await constraintOf(bare(type, 'present')), 'event_has_spoke', type)
  t.equal(await constraintOf(bare('family_history', 'family')), 'event_has_spoke')
})

test('a fact is listed in the shape of the contract, with its sources and chosen code', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const [id = ''] = await find(db, file, [
    { sources: [source(), source({ role: 'value', textStart: 18, textLength: 3, quote: '100' })] },
  ])

  const list = () => asActor(db, person.actor, (tx) => listFacts(tx, file.shellFileId))
  t.match(await list(), [{ confidence: 'check', reason: 'Found, but not checked yet.', code: null, held: false }])

  await admit(db, file, id)
  const [listed] = await list()
  t.same(
    { ...listed, sources: listed?.sources.map(({ box, ...rest }) => ({ ...rest, corners: box.length })) },
    {
      id,
      type: 'medication',
      text: 'Aspirin',
      code: { system: 'RxNorm', code: '1191', display: 'aspirin' },
      value: '100',
      unit: 'mg',
      reference_range: null,
      date: '2021-02',
      status: 'present',
      confidence: 'high',
      reason: null,
      detail: {},
      review: 'unreviewed',
      version: listed?.version,
      decision_id: null,
      as_found: null,
      held: false,
      in_record: true,
      is_separate: false,
      also_in: [],
      sources: [
        { page: 1, corners: 4, quote: 'Aspirin', start: 10, length: 7, text_version: 1, fact_id: id },
        { page: 1, corners: 4, quote: '100', start: 18, length: 3, text_version: 1, fact_id: id },
      ],
      found_by: { pass: 1, provider: 'local', model: 'rules', prompt_version: null },
    },
  )
})

test('what was merged within a file shows once, with all its places', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const again = { findingKey: 'medication:90+7:-', sources: [source({ textStart: 90, pageNumber: 2 })] as const }
  const [first = '', second = ''] = await find(db, file, [{}, again])
  await admit(db, file, first)
  await admit(db, file, second)
  const facts = await asActor(db, person.actor, (tx) => listFacts(tx, file.shellFileId))
  t.match(facts, [{ id: first, sources: [{ page: 1 }, { page: 2 }] }])
  t.equal(facts.length, 1)
})

test('a stranger is shown no fact, its people also see what has no place in the record, and why', async (t) => {
  const { db } = await testDatabase(t)
  const [person, stranger] = [await signUp(db), await signUp(db)]
  const file = await makeFile(db, person)
  const [id = ''] = await find(db, file)
  t.same(await asActor(db, stranger.actor, (tx) => listFacts(tx, file.shellFileId)), [])
  for (const decision of ['refused', 'noted']) {
    await serve(
      db,
      sql`update entity_processing_audit_v2
          set decision = ${decision}, decision_reason = 'About a relative.', confidence = 'low', confidence_reason = 'Hard to read.',
              fact_status = 'family'
          where id = ${id}`,
    )
    const outside = { id, status: 'family', reason: 'About a relative. Hard to read.', held: false, in_record: false }
    t.match(await asActor(db, person.actor, (tx) => listFacts(tx, file.shellFileId)), [outside], decision)
  }
})

test('what is present in the family is never shown as present', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await find(db, file, [{ factType: 'family_history', factStatus: 'present' }])
  t.match(await asActor(db, person.actor, (tx) => listFacts(tx, file.shellFileId)), [{ status: 'family' }])
})

test('a held fact waits until a person decides, and then says what they decided', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await find(db, file, [{ decision: 'held', decisionReason: 'Waits for you: the name differs.' }])
  const listedIn = async (state: string) => {
    await serve(db, sql`update shell_files set review_state = ${state} where id = ${file.shellFileId}`)
    return await asActor(db, person.actor, (tx) => listFacts(tx, file.shellFileId))
  }
  const waiting = { held: true, in_record: false, review: 'unreviewed', reason: /^Waits for you/ }
  t.match(await listedIn('pending'), [waiting])
  const rejected = { held: false, in_record: false, review: 'rejected', reason: /^A person decided .* not about/ }
  t.match(await listedIn('rejected'), [rejected])
  const accepted = { held: false, in_record: false, review: 'unreviewed', reason: 'Found, but not checked yet.' }
  t.match(await listedIn('accepted'), [accepted])
})

test('what a person has decided is left alone by every later run', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const other = { findingKey: 'medication:90+7:-', factText: 'Warfarin' }
  const [kept = '', dropped = ''] = await find(db, file, [{}, other])
  await serve(
    db,
    sql`update entity_processing_audit_v2 set review = 'rejected', decision = 'rejected' where id = ${kept}`,
  )

  // The text has been mapped anew, so the same words have another place and key.
  const [, ...more] = await find(db, file, [{ findingKey: 'medication:11+7:-' }, { ...other, factText: 'Ramipril' }])

  t.same(more, [])
  const rows = await asService(db, {}, (tx) => loadFacts(tx, file.shellFileId))
  t.same(
    rows.map((row) => `${row.factText} ${row.decision}`).toSorted((a, b) => a.localeCompare(b)),
    ['Aspirin rejected', 'Ramipril found'],
  )
  t.equal(rows.find((row) => row.factText === 'Ramipril')?.id, dropped, 'the same finding keeps its id')
})

test('a file that is taken out leaves to others what they say as well', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [first, second] = [await makeFile(db, person), await makeFile(db, person)]
  const [one = ''] = await find(db, first)
  await admit(db, first, one)
  const [other = ''] = await find(db, second)
  await admit(db, second, other)

  await asService(db, {}, (tx) => retractFile(tx, first.shellFileId))
  const events = await serve(db, sql`select id, shell_file_id from patient_clinical_events`)
  t.same(events, [{ id: one, shell_file_id: second.shellFileId }], "the event is the second file's now")
  t.match(await asService(db, {}, (tx) => loadFacts(tx, second.shellFileId)), [{ decision: 'admitted', eventId: one }])

  await asService(db, {}, (tx) => retractFile(tx, second.shellFileId))
  t.same(await serve(db, sql`select id from patient_clinical_events`), [], 'nobody says it any more')
  t.same(await serve(db, sql`select event_id from patient_medications`), [])
})

test('a sentence cites events of its patient, and goes when they go', async (t) => {
  const { db } = await testDatabase(t)
  const [person, other] = [await signUp(db), await signUp(db)]
  const [file, otherFile] = [await makeFile(db, person), await makeFile(db, other)]
  const [id = ''] = await find(db, file)
  await admit(db, file, id)
  const [otherId = ''] = await find(db, otherFile)
  await admit(db, otherFile, otherId)
  const told = (of: File, citedEventIds: readonly string[]) =>
    asService(db, {}, (tx) =>
      replaceNarratives(tx, of, [
        {
          title: 'Medicines',
          provider: 'local',
          model: 'x',
          promptVersion: null,
          sentences: [{ sentence: 'Aspirin is listed.', citedEventIds }],
        },
      ]),
    )
  t.equal(await constraintOf(told(file, [otherId])), 'sentence_cites_events')
  t.equal(await constraintOf(told(file, [])), 'clinical_narrative_sentences_cited_check')
  await told(file, [id])
  t.equal((await asService(db, {}, (tx) => recordOfFile(tx, file.shellFileId)))[0]?.name, 'Aspirin')

  await serve(db, sql`update patient_clinical_events set archived_at = now() where id = ${id}`)
  t.same(await serve(db, sql`select 1 from clinical_narrative_sentences`), [])
  t.same(await serve(db, sql`select 1 from clinical_narratives`), [], 'nor is an empty storyline left')
})
