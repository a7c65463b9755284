import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../../db/client.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { ask, ownerSql, serve, signUp } from '../../support/actors.ts'
import { startAiServer } from '../../support/ai-server.ts'
import { decide } from '../../support/consents.ts'
import { fileState } from '../../support/files.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import type { HandlerDeps } from '../../../worker/handlers/deps.ts'

const report = fileURLToPath(new URL('../../fixtures/documents/lab-report-au.pdf', import.meta.url))

test('a run that was broken off goes on where it was: no answer is paid for twice, and each is counted once', async (t) => {
  const { db, far, runner, person } = await setting(t)
  far.answersWith(
    { kind: 'malformed', content: 'no JSON' },
    { kind: 'status', status: 500 },
    { kind: 'facts', facts: [] },
  )
  const file = await runner.upload(person, report)
  for (let stage = 0; stage < 3; stage += 1) await runner.runOne()
  t.match(await runner.runOne(), { type: 'pass1_find', settled: 'retrying' })
  await dueNow(db)
  t.match(await runner.runOne(), { type: 'pass1_find', settled: 'completed' })
  t.equal(far.asked.length, 3, 'the first question was not asked again')
  t.match(await sessionsOf(db), [{ provider: 'openai', tokens_in: 200, tokens_out: 100, lines_unanswered: 0 }])
  t.match(await serve(db, sql`select ai_tokens::int as tokens from usage_events where event_type = 'ai_processed'`), [
    { tokens: 300 },
  ])

  await runner.runAll()
  await ask(db, person.actor, sql`select public.reprocess_shell_file(${file}, 'pass1_find')`)
  await runner.runAll()
  // The wrong form is of no use to another job; nor is its repair.
  t.equal(far.asked.length, 4)
})

test('the same document is not paid for twice, and leaves nothing behind', async (t) => {
  const { db, ownerUrl, far, runner, person } = await setting(t)
  far.answersWith({ kind: 'facts', facts: [] })
  const file = await runner.upload(person, report)
  await runner.runAll()
  await ask(db, person.actor, sql`select public.reprocess_shell_file(${file}, 'pass1_find')`)
  await runner.runAll()
  t.equal(far.asked.length, 1)
  t.match(await sessionsOf(db), [{ tokens_in: 100 }, { tokens_in: 0, cost_usd: '0.000000' }])
  t.equal((await kept(db)).length, 1)

  await decide(db, person, 'withdrawn', { purpose: 'outside_ai' })
  t.equal((await kept(db)).length, 0, 'the answers go with the consent')
  await decide(db, person, 'granted', { purpose: 'outside_ai' })
  far.answersWith({ kind: 'facts', facts: [] })
  await ask(db, person.actor, sql`select public.reprocess_shell_file(${file}, 'pass1_find')`)
  await runner.runAll()
  t.equal((await kept(db)).length, 1)
  const owner = ownerSql(t, ownerUrl)
  await owner`select public.erase_shell_file(${file}::uuid)`
  t.equal((await kept(db)).length, 0, 'and with the document')
})

for (const [what, reply, reason] of [
  ['a key that is not theirs', { kind: 'status', status: 401 }, 'misconfigured'],
  ['a model that they do not have', { kind: 'status', status: 404 }, 'misconfigured'],
  ['a spent budget', { kind: 'status', status: 429, code: 'insufficient_quota' }, 'quota_spent'],
  ['a service that takes no question', { kind: 'status', status: 400 }, 'refused'],
] as const) {
  test(`${what} costs no document: the rules read it alone, and it is told`, async (t) => {
    const { db, far, runner, person } = await setting(t)
    far.answersWith(reply)
    const file = await runner.upload(person, report)
    t.equal((await runner.runAll()).length, 6)
    t.match(await fileState(db, file), { status: 'completed' })
    const [session] = await sessionsOf(db)
    t.match(session, { model_answered: null, cost_usd: '0.000000', unanswered_why: { [reason]: 1 } })
    t.ok(Number(session?.['lines_unanswered']) > 5)
    t.match(await noticesOf(db), [{ code: 'model_unavailable' }])
  })
}

test('another model than the one that was asked for is told, and its price is not made up', async (t) => {
  const { db, far, runner, person } = await setting(t)
  far.answersWith({ kind: 'facts', facts: [], model: 'house-blend' })
  await runner.upload(person, report)
  await runner.runAll()
  t.match(await sessionsOf(db), [{ model_requested: 'gpt-4o-mini', model_answered: 'house-blend', cost_usd: null }])
  t.match(await noticesOf(db), [{ code: 'other_model' }])
})

test('with the switch on no name, birth date, number or telephone leaves the machine', async (t) => {
  const { far, runner, person } = await setting(t, { aiUse: { scope: 'whole', deidentify: true } })
  far.answersWith({ kind: 'facts', facts: [] })
  await runner.upload(person, report)
  await runner.runAll()
  const sent = JSON.stringify(far.asked)
  t.match(sent, /Haemoglobin|Sodium|Cholesterol/i, 'what was measured is asked about')
  t.notMatch(sent, identifying)
})

const identifying = /Schimmel|Patria|Pillai|Sanjay|21\/05\/1974|3435 69407|Jetty|Glenelg|21-3970789|244528BY/i

async function setting(t: Teardown, overrides: Partial<HandlerDeps> = {}) {
  const { db, ownerUrl } = await testDatabase(t)
  const far = await startAiServer(t)
  const ai = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const runner = await stageRunner(t, db, { ai, ...overrides })
  return { db, ownerUrl, far, runner, person: await signUp(db, 'me') }
}

const dueNow = (db: Database) => serve(db, sql`update job_queue set scheduled_at = now() where status = 'pending'`)
const kept = (db: Database) => serve(db, sql`select * from model_answers`)

const sessionsOf = (db: Database) =>
  serve(
    db,
    sql`select provider, model_requested, model_answered, tokens_in::int, tokens_out::int, cost_usd, lines_unanswered,
        unanswered_why, refused_why
      from semantic_processing_sessions where prompt_version is not null order by created_at`,
  )

async function noticesOf(db: Database): Promise<unknown> {
  const [row] = await serve(
    db,
    sql`select outcome -> 'notices' as told from shell_file_stages where stage = 'pass1_find'`,
  )
  return row?.['told']
}
