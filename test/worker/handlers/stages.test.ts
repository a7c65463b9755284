// Longer than 300 lines because each test walks a file through the same six stages.
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { listFacts } from '../../../db/queries/facts.ts'
import type { AiProvider } from '../../../worker/providers/ai/provider.ts'
import { askOne, serve, signUp, type Account } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'

const document = (name: string) => fileURLToPath(new URL(`../../fixtures/documents/${name}`, import.meta.url))
const allStages = ['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate']

test('a letter goes through all stages and its facts stand on the words that they came from', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('discharge-summary-au.pdf'))

  t.same(await runner.runAll(), allStages)
  t.equal(await statusOf(db, person, file), 'completed')

  const facts = await asActor(db, person.actor, (tx) => listFacts(tx, file))
  t.ok(facts.length > 10, 'a discharge summary holds many facts')
  const text = String(
    await askOne(db, person.actor, sql`select content as value from shell_file_texts where shell_file_id = ${file}`),
  )
  for (const fact of facts) {
    t.ok(fact.sources.length > 0, `${fact.type} has a source`)
    for (const { quote, start, length } of fact.sources) t.equal(text.slice(start, start + length), quote)
    t.notOk(fact.held)
  }
  t.ok(
    facts.some((fact) => fact.code !== null),
    'some are coded',
  )
  t.ok(await countOf(db, sql`clinical_narrative_sentences`), 'there is something to read')
})

test('coding a file a second time leaves no second row', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()
  const before = await recordOf(db)

  await asActor(db, person.actor, (tx) => tx.execute(sql`select reprocess_shell_file(${file}, 'pass1_find')`))
  t.same(await runner.runAll(), ['pass1_find', 'pass2_code', 'pass3_narrate'])

  t.same(await recordOf(db), before, 'the same facts, events and spokes with the same ids')
})

test('what two files say of one person is one event with the sources of both', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const first = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()
  const events = await countOf(db, sql`patient_clinical_events`)

  const second = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()

  t.equal(await countOf(db, sql`patient_clinical_events`), events, 'nothing is twice in the record')
  const [one, other] = [await factsOf(db, person, first), await factsOf(db, person, second)]
  t.equal(one.length, other.length, 'both files show all their facts')

  await asActor(db, person.actor, (tx) => tx.execute(sql`select reprocess_shell_file(${first}, 'pass1_find')`))
  await runner.runAll()
  t.equal(await countOf(db, sql`patient_clinical_events`), events, 'nor after the first is coded again')
})

test('a file that names somebody else is held with all its facts until a person decides', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'Wilhelmina Quist')
  const file = await runner.upload(person, document('discharge-summary-au.pdf'))

  t.same(await runner.runAll(), allStages.slice(0, 4), 'coding does not begin')
  t.equal(await statusOf(db, person, file), 'needs_review')
  const held = await factsOf(db, person, file)
  t.ok(held.length > 10)
  t.ok(held.every((fact) => fact.held && fact.sources.length > 0 && fact.reason !== null))
  t.equal(await countOf(db, sql`patient_clinical_events`), 0, 'nothing is in the record')

  await t.test('accepted, it enters the record', async (accepted) => {
    const review = await askOne(
      db,
      person.actor,
      sql`select id as value from manual_review_queue where shell_file_id = ${file}`,
    )
    await asActor(db, person.actor, (tx) =>
      tx.execute(sql`select decide_identity_review(${String(review)}, 'accepted')`),
    )
    accepted.same(await runner.runAll(), allStages.slice(4))
    accepted.equal(await statusOf(db, person, file), 'completed')
    const facts = await factsOf(db, person, file)
    accepted.notOk(facts.some((fact) => fact.held))
    accepted.ok((await countOf(db, sql`patient_clinical_events`)) > 5)
  })
})

test('a file that is rejected stays out of the record', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'Wilhelmina Quist')
  const file = await runner.upload(person, document('discharge-summary-au.pdf'))
  await runner.runAll()
  const review = await askOne(
    db,
    person.actor,
    sql`select id as value from manual_review_queue where shell_file_id = ${file}`,
  )

  await asActor(db, person.actor, (tx) => tx.execute(sql`select decide_identity_review(${String(review)}, 'rejected')`))

  t.same(await runner.runAll(), [])
  t.equal(await countOf(db, sql`patient_clinical_events`), 0)
  const facts = await factsOf(db, person, file)
  t.ok(facts.length > 10)
  for (const fact of facts) {
    const told = { held: false, in_record: false, review: 'rejected', reason: /^A person decided/ }
    t.match(fact, told)
  }
})

test('whose document it is does not depend on which facts people have looked at', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'Patria Schimmel')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()
  const unowned = async () =>
    (await factsOf(db, person, file)).filter((fact) => fact.reason?.includes('could be compared') === true).length
  t.equal(await unowned(), 0, 'the name agrees')

  await serve(db, sql`update entity_processing_audit_v2 set review = 'accepted' where fact_type = 'identity'`)
  await asActor(db, person.actor, (tx) => tx.execute(sql`select reprocess_shell_file(${file}, 'pass2_code')`))
  t.same(await runner.runAll(), ['pass2_code', 'pass3_narrate'])

  t.equal(await unowned(), 0, 'it still does')
})

test('a file that the scan refuses fails at once and its later stages are skipped', async (t) => {
  const { db } = await testDatabase(t)
  const infected = { kind: 'infected', name: 'Test-Signature', checkedWith: [] } as const
  const malware = { name: 'test', inspect: () => Promise.resolve(infected) }
  const runner = await stageRunner(t, db, { malware })
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))

  t.same(await runner.runAll(), ['security_scan'])

  t.equal(await statusOf(db, person, file), 'failed')
  const error = await askOne(
    db,
    person.actor,
    sql`select processing_error as value from shell_files where id = ${file}`,
  )
  t.match(error, { code: 'file_infected', stage: 'security_scan' })
})

test('a file with more pages than are allowed fails with a reason that its owner understands', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db, { maxPages: 1 })
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('discharge-summary-two-pages.pdf'))
  t.same(await runner.runAll(), ['security_scan'])
  t.equal(await statusOf(db, person, file), 'failed')
  const error = await askOne(
    db,
    person.actor,
    sql`select processing_error as value from shell_files where id = ${file}`,
  )
  t.match(error, { code: 'too_many_pages', message: /pages/ })
})

for (const [saved, missing] of [
  [1, 2],
  [2, 1],
] as const) {
  test(`page ${saved} that was saved before a crash is not read again, page ${missing} is read`, async (t) => {
    const { db } = await testDatabase(t)
    const runner = await stageRunner(t, db)
    const person = await signUp(db, 'me')
    const file = await runner.upload(person, document('discharge-summary-two-pages.pdf'))
    await runner.runOne()
    await serve(db, sql`select begin_stage(${file}, 'ocr', '1')`)
    await serve(
      db,
      sql`insert into shell_file_pages (shell_file_id, page_number, width_pt, height_pt, source, engine, quality_grade, word_count, words, boxes, confidences, grouping)
        values (${file}, ${saved}, 595, 842, 'text_layer', 'the first life', 'good', 0, '{}', '', '', '')`,
    )

    await runner.runOne()

    const engines = await serve(
      db,
      sql`select page_number, engine from shell_file_pages where shell_file_id = ${file} order by page_number`,
    )
    t.equal(engines.length, 2)
    t.equal(engines[saved - 1]?.['engine'], 'the first life')
    t.not(engines[missing - 1]?.['engine'], 'the first life')
    const done = await askOne(
      db,
      person.actor,
      sql`select pages_done as value from shell_file_stages where shell_file_id = ${file} and stage = 'ocr'`,
    )
    t.equal(done, 2)
  })
}

test('a worker that dies in any stage leaves a file that completes, with each fact once', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  for (const stage of allStages) {
    t.equal(await runner.dieInOne(), stage)
    // Its lease runs out, and any other worker takes the job up.
    await serve(
      db,
      sql`update job_queue set lease_expires_at = now() - interval '1 second' where status = 'processing'`,
    )
    await serve(db, sql`select * from rescue_stale_jobs()`)
    await serve(db, sql`update job_queue set scheduled_at = now() where status = 'pending'`)
    t.match(await runner.runOne(), { type: stage, settled: 'completed' })
  }

  t.equal(await runner.runOne(), null)
  t.equal(await statusOf(db, person, file), 'completed')
  const undisturbed = await runner.upload(person, document('lab-report-au.pdf'), {})
  await runner.runAll()
  const [disturbed, calm] = [await factsOf(db, person, file), await factsOf(db, person, undisturbed)]
  t.same(disturbed.map(shown), calm.map(shown), 'the same facts as without any death')
})

test('what a model adds is marked as its own, and its tokens are counted once', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db, { ai: modelThatQuotesTheFirstWords })
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  await runner.runAll()

  const added = (await factsOf(db, person, file)).filter((fact) => fact.found_by.provider === 'openai')
  t.match(added, [{ found_by: { model: 'model-that-answered', prompt_version: 'test-1' }, sources: [{ page: 1 }] }])
  t.match(
    await serve(
      db,
      sql`select provider, model_answered, tokens_in, facts_found, facts_refused from semantic_processing_sessions order by provider`,
    ),
    [{ provider: 'local' }, { provider: 'openai', model_answered: 'model-that-answered', facts_refused: 1 }],
  )
  const used = await serve(db, sql`select ai_tokens::int as tokens from usage_events where event_type = 'ai_processed'`)
  t.equal(used.length, 1)
  t.ok(Number(used[0]?.['tokens']) >= 15)
})

/** One true quote and one invented one for each part that it is asked about. */
const modelThatQuotesTheFirstWords: AiProvider = {
  name: 'openai',
  model: 'model-asked',
  promptVersion: 'test-1',
  estimateTokens: () => 100,
  find: ({ text }) => {
    const [name = ''] = text.trim().split(/\s+/)
    const blank = {
      value: null,
      unit: null,
      reference_range: null,
      date: null,
      dose: null,
      route: null,
      frequency: null,
      reaction: null,
      relationship: null,
      identity_kind: null,
    }
    const said = (quote: string) => ({
      type: 'identity' as const,
      status: 'present' as const,
      quote,
      name: quote,
      ...blank,
    })
    return Promise.resolve({
      outcome: { kind: 'facts' as const, facts: [said(name), said('Quixotically invented')] },
      modelAnswered: 'model-that-answered',
      tokensIn: 10,
      tokensOut: 5,
      costUsd: 0.001,
      said: null,
    })
  },
}

const shown = ({ type, text, value, sources }: Awaited<ReturnType<typeof factsOf>>[number]) => [
  type,
  text,
  value,
  sources.map(({ page, box, quote, start, length }) => [page, box, quote, start, length]),
]

const statusOf = (db: Database, by: Account, file: string) =>
  askOne(db, by.actor, sql`select status as value from shell_files where id = ${file}`)

const factsOf = (db: Database, by: Account, file: string) => asActor(db, by.actor, (tx) => listFacts(tx, file))

async function countOf(db: Database, table: ReturnType<typeof sql>): Promise<number> {
  const [row] = await serve<{ count: number }>(db, sql`select count(*)::int as count from ${table}`)
  return row?.count ?? 0
}

/** Ids and decisions of everything that coding writes; times differ from run to run and are left out. */
async function recordOf(db: Database) {
  return {
    facts: await serve(
      db,
      sql`select id, finding_key, decision, confidence, event_id from entity_processing_audit_v2 order by id`,
    ),
    sources: await serve(db, sql`select fact_id, ordinal, quote from fact_sources order by fact_id, ordinal`),
    codes: await serve(db, sql`select fact_id, rank, code from medical_code_assignments order by fact_id, rank`),
    events: await serve(
      db,
      sql`select id, event_type, assertion, merge_key, encounter_id from patient_clinical_events order by id`,
    ),
    record: await serve(db, sql`select id, name, code, value_text from patient_record order by id`),
    encounters: await serve(db, sql`select id, name, start_date from healthcare_encounters order by id`),
  }
}
