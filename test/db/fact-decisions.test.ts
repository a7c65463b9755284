import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import { acceptFacts, listDecisions } from '../../db/queries/fact-decisions.ts'
import type { NewFact } from '../../db/queries/found-facts.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { refusal, serve, signUp } from '../support/actors.ts'
import { decide, edit, glucose, listOf, recordOf, runPasses, undo, wholeOf } from '../support/fact-decisions.ts'
import { find, makeFile, source } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

const changed = 'EX412'
const notYet = '55000'

const bloodPressure: Partial<NewFact> = {
  ...glucose('132/84', '2021-03-04', 40),
  factType: 'vital_sign',
  factText: 'Blood pressure',
  unit: 'mmHg',
  referenceRange: null,
  detail: {
    components: [
      { name: 'systolic', value: '132' },
      { name: 'diastolic', value: '84' },
    ],
  },
}

test('an accepted fact is sure, and is as it was when that is taken back', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  await serve(
    db,
    sql`update entity_processing_audit_v2 set confidence = 'check', confidence_reason = 'Some letters may be misread.'`,
  )
  await serve(
    db,
    sql`update patient_clinical_events set confidence = 'check', confidence_reason = 'Some letters may be misread.'`,
  )
  const before = await wholeOf(db, file)
  const [seen] = await listOf(db, person, file)

  const decision = await decide(db, person, seen?.id ?? '', { decision: 'accepted' }, seen?.version)
  const accepted = { review: 'accepted', confidence: 'high', reason: null, in_record: true, decision_id: decision }
  t.match(await listOf(db, person, file), [accepted])
  t.match(await recordOf(db, person), [{ review: 'accepted', confidence: 'high' }])
  t.equal(await decide(db, person, seen?.id ?? '', { decision: 'accepted' }, seen?.version), decision, 'twice is once')
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before, 'nor is it taken back twice')
})

test('a corrected fact changes the record, keeps what was found, and comes back whole', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('51', '2021-03-04'), bloodPressure])
  const before = await wholeOf(db, file)
  const [seen, pressure] = await listOf(db, person, file)

  const decision = await edit(db, person, seen?.id ?? '', { value: '5.1', date: '2021-04' }, seen?.version ?? null)
  t.match(await listOf(db, person, file), [
    {
      id: seen?.id,
      value: '5.1',
      date: '2021-04',
      unit: 'mmol/L',
      review: 'edited',
      as_found: { value: '51', date: '2021-03-04' },
    },
    { review: 'unreviewed', as_found: null },
  ])
  t.match(await recordOf(db, person), [
    { id: seen?.id, value_text: '5.1', event_date: '2021-04', review: 'edited', confidence: 'high' },
    { value_text: '132/84' },
  ])
  const numbers = await serve(
    db,
    sql`select value_numeric::text as value from patient_observations where event_id = ${seen?.id ?? ''}`,
  )
  t.same(numbers, [{ value: '5.1' }])

  const second = await edit(db, person, pressure?.id ?? '', { value: '122/80' })
  const parts = await serve(
    db,
    sql`select value_numeric::text as value from patient_observation_components order by ordinal`,
  )
  t.same(parts, [{ value: '122' }, { value: '80' }], 'its parts follow')
  await undo(db, person, file, second)
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
})

test('a negation that a person corrects is negated in the record, too', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const asthma = { ...glucose('', '2021-03-04'), factType: 'condition', factText: 'Asthma', value: null, unit: null }
  await runPasses(db, file, [asthma as Partial<NewFact>])
  const before = await wholeOf(db, file)
  const [seen] = await listOf(db, person, file)
  const decision = await edit(db, person, seen?.id ?? '', { status: 'negated' })
  t.match(await recordOf(db, person), [{ assertion: 'negated' }])
  await edit(db, person, seen?.id ?? '', { status: 'family' })
  t.same(await serve(db, sql`select name, assertion from family_history`), [{ name: 'Asthma', assertion: 'family' }])
  const [newest] = await asActor(db, person.actor, (tx) => listDecisions(tx, file.shellFileId))
  t.equal(await refusal(undo(db, person, file, decision)), notYet, 'the later one first')
  await undo(db, person, file, newest?.decisionId ?? '')
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
})

test('a rejected fact leaves the record with all its places in the file, and comes back whole', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [
    glucose('5.1', '2021-03-04'),
    glucose('5.1', '2021-03-04', 90),
    glucose('6', '2022-01-01', 200),
  ])
  const before = await wholeOf(db, file)
  const [seen] = await listOf(db, person, file)
  t.equal(seen?.sources.length, 2)

  const decision = await decide(db, person, seen?.id ?? '', { decision: 'rejected', reason: 'not_said' })
  t.match(await listOf(db, person, file), [
    { id: seen?.id, review: 'rejected', in_record: false, reason: /does not say so/, sources: [{}, {}] },
    { value: '6', review: 'unreviewed', in_record: true },
  ])
  t.match(await recordOf(db, person), [{ value_text: '6' }])
  const again = decide(db, person, seen?.id ?? '', { decision: 'accepted' })
  t.equal(await refusal(again), changed, 'it is taken back first')
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
})

test('what another file says as well stays, as that file says it', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  await runPasses(db, other, [glucose('5.1', '2021-03-04')])
  const before = await wholeOf(db, file)
  t.equal((await recordOf(db, person)).length, 1)
  const [seen] = await listOf(db, person, file)

  for (const act of [
    () => decide(db, person, seen?.id ?? '', { decision: 'rejected', reason: 'wrong_value' }),
    () => edit(db, person, seen?.id ?? '', { value: '5.7' }),
  ]) {
    const decision = await act()
    const others = { value_text: '5.1', shell_file_id: other.shellFileId, review: 'unreviewed' }
    const record = await recordOf(db, person)
    t.match(record[0], others)
    t.match(await listOf(db, person, other), [{ in_record: true, review: 'unreviewed' }])
    await undo(db, person, file, decision)
    t.same(await wholeOf(db, file), before)
  }
  await edit(db, person, seen?.id ?? '', { value: '5.7' })
  t.match(await recordOf(db, person), [
    { value_text: '5.1', shell_file_id: other.shellFileId },
    { value_text: '5.7', shell_file_id: file.shellFileId, review: 'edited' },
  ])
})

test('a correction that says what the record knows is one more source of that, and leads, as a person said it', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, other, [glucose('5.1', '2021-03-04')])
  await runPasses(db, file, [glucose('51', '2021-03-04')])
  const before = await wholeOf(db, file)
  const [seen] = await listOf(db, person, file)
  const decision = await edit(db, person, seen?.id ?? '', { value: '5.1' })
  t.match(await recordOf(db, person), [{ value_text: '5.1', shell_file_id: file.shellFileId, review: 'edited' }])
  t.equal((await recordOf(db, person)).length, 1)
  await undo(db, person, file, decision)
  t.same(await wholeOf(db, file), before)
})

test('many are accepted at once, what waits for nothing is said, and all are taken back together', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [
    glucose('5.1', '2021-03-04'),
    glucose('6', '2022-01-01', 200),
    { ...bloodPressure, sources: [source({ textStart: 300, confidence01: 0.4 })] },
  ])
  const accept = (factIds: readonly string[] | null, decisionId = uuidV7()) =>
    asActor(db, person.actor, (tx) => acceptFacts(tx, file.shellFileId, { factIds, decisionId }))
  const [first, second, unsure] = await listOf(db, person, file)
  await serve(db, sql`update entity_processing_audit_v2 set confidence = 'high' where fact_type = 'lab_result'`)
  await serve(db, sql`update entity_processing_audit_v2 set confidence = 'low' where fact_type = 'vital_sign'`)
  await serve(
    db,
    sql`update patient_clinical_events as event set confidence = fact.confidence
        from entity_processing_audit_v2 as fact where fact.event_id = event.id`,
  )
  const before = await wholeOf(db, file)

  const decisionId = uuidV7()
  const all = await accept(null, decisionId)
  t.same(new Set(all.accepted), new Set([first?.id, second?.id]), 'only what is sure')
  t.same(await accept(null, decisionId), all, 'again it is the same answer')
  const stranger = uuidV7()
  t.match(await accept([first?.id ?? '', unsure?.id ?? '', stranger]), {
    accepted: [unsure?.id],
    skipped: [
      { id: first?.id, reason: 'already_decided' },
      { id: stranger, reason: 'not_in_document' },
    ].toSorted((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1)),
  })
  const standing = await asActor(db, person.actor, (tx) => listDecisions(tx, file.shellFileId))
  await undo(db, person, file, standing[0]?.decisionId ?? '')
  await undo(db, person, file, decisionId)
  t.same(await wholeOf(db, file), before)
})

test('nothing is decided about what has not been checked yet', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const [id = ''] = await find(db, file)
  t.equal(await refusal(decide(db, person, id, { decision: 'accepted' })), notYet)
  await serve(db, sql`update entity_processing_audit_v2 set decision = 'held'`)
  t.equal(await refusal(decide(db, person, id, { decision: 'accepted' })), notYet)
})
