import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { createOpenAiNarrator } from '../../../worker/providers/narration/openai.ts'
import type { ToldStory } from '../../../worker/providers/narration/provider.ts'
import type { Reply } from '../../contracts/ai-provider.ts'
import { serve, signUp } from '../../support/actors.ts'
import { startAiServer } from '../../support/ai-server.ts'
import type { AiServer } from '../../support/ai-server.ts'
import { decide } from '../../support/consents.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'

const letter = fileURLToPath(new URL('../../fixtures/documents/discharge-summary-au.pdf', import.meta.url))
const templates = 'templates-2'

/** Whatever content an answer has; the far side knows no stories of its own. */
const answering = (content: string): Reply => ({ kind: 'malformed', content })
const telling = (stories: readonly ToldStory[]) => answering(JSON.stringify({ stories }))

async function narrating(t: Teardown) {
  const { db } = await testDatabase(t)
  const far = await startAiServer(t)
  const narrator = createOpenAiNarrator({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const runner = await stageRunner(t, db, { narrator })
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, letter)
  return {
    db,
    far,
    runner,
    person,
    file,
    /** Told anew, and the model asked anew. */
    again: async (...replies: readonly Reply[]) => {
      await serve(db, sql`delete from model_answers`)
      far.answersWith(...replies)
      await asActor(db, person.actor, (tx) => tx.execute(sql`select reprocess_shell_file(${file}, 'pass3_narrate')`))
      await runner.runAll()
    },
  }
}

const request = z.object({ messages: z.array(z.object({ role: z.string(), content: z.string() })) })
const sentEvent = z.looseObject({ id: z.string(), type: z.string(), status: z.string(), name: z.string() })

const textOf = (far: AiServer) =>
  request.parse(far.asked.at(-1)).messages.find(({ role }) => role === 'user')?.content ?? ''
const eventsIn = (far: AiServer) =>
  textOf(far)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => sentEvent.parse(JSON.parse(line)))

const storiesOf = (db: Database) =>
  serve<{ title: string; provider: string; model: string; prompt_version: string | null; sentence: string }>(
    db,
    sql`select narrative.title, narrative.provider, narrative.model, narrative.prompt_version, told.sentence
      from clinical_narratives as narrative
      join clinical_narrative_sentences as told on told.narrative_id = narrative.id
      order by narrative.ordinal, told.ordinal`,
  )
const citedIn = (db: Database) =>
  serve<{ id: string }>(
    db,
    sql`select distinct unnest(cited_event_ids) as id from clinical_narrative_sentences order by 1`,
  )
const eventIds = (db: Database) => serve<{ id: string }>(db, sql`select id from patient_clinical_events order by 1`)
const modelsIn = async (db: Database) => [...new Set((await storiesOf(db)).map((each) => each.model))]
async function resultOf(db: Database) {
  const [job] = await serve<{ job_result: unknown }>(
    db,
    sql`select job_result from job_queue where job_type = 'pass3_narrate' order by created_at desc limit 1`,
  )
  return job?.job_result
}

test('what a model tells is shown where it says what the events say, and templates tell the rest', async (t) => {
  const { db, far, runner, again } = await narrating(t)
  far.answersWith({ kind: 'refusal' })
  await runner.runAll()
  t.same(await modelsIn(db), [templates], 'a model that would not answer leaves it to the templates')
  const events = eventsIn(far)
  const present = events.filter(({ status, type }) => status === 'present' && type === 'condition')
  const negated = events.find(({ status, type }) => status === 'negated' && type !== 'allergy')
  const [first, second] = present
  if (first === undefined || second === undefined || negated === undefined) throw new Error('the letter has changed')

  const told = (text: string, ...ids: string[]) => ({ text, event_ids: ids })
  await again(
    telling([
      {
        title: first.name,
        sentences: [
          told(`${first.name} is recorded.`, first.id),
          told(`${first.name} has improved.`, first.id),
          told(`${negated.name} is recorded.`, negated.id),
          told(`${second.name} is recorded.`, second.id),
        ],
      },
      {
        title: 'Family',
        sentences: [told(`${second.name} is recorded.`, second.id), told(`${second.name}.`, second.id)],
      },
    ]),
  )

  const shown = (await storiesOf(db)).filter(({ provider }) => provider === 'openai')
  t.same(
    shown.map(({ title, sentence, prompt_version }) => [title, sentence, prompt_version]),
    [
      [first.name, `${first.name} is recorded.`, 'narrate-2'],
      ['What the document says', `${second.name} is recorded.`, 'narrate-2'],
      ['What the document says', `${second.name}.`, 'narrate-2'],
    ],
  )
  t.same(await citedIn(db), await eventIds(db), 'each event is told by one or the other')
  t.match(
    await serve(db, sql`select * from semantic_processing_sessions where stage = 'pass3_narrate'`),
    [1, 2].map(() => ({
      provider: 'openai',
      model_answered: 'gpt-4o-mini',
      prompt_version: 'narrate-2',
      tokens_in: '100',
      tokens_out: '50',
      cost_usd: '0.000045',
    })),
  )
  const used = await serve(db, sql`select ai_tokens::int as tokens from usage_events where event_type = 'ai_processed'`)
  t.same(used, [{ tokens: 150 }, { tokens: 150 }], 'a refusal is paid for as well')
  t.match(await resultOf(db), {
    model_outcome: 'stories',
    sentences_kept: 3,
    sentences_dropped: 3,
    outside_ai: 'asked',
  })
})

test('a model of which most is dropped, or that gives no answer to use, is not shown', async (t) => {
  const { db, far, runner, again } = await narrating(t)
  far.answersWith({ kind: 'cut_off' })
  await runner.runAll()
  t.same(await modelsIn(db), [templates], 'cut off')
  const [event] = eventsIn(far).filter(({ status, type }) => status === 'present' && type === 'condition')
  if (event === undefined) throw new Error('the letter has changed')
  const good = { text: `${event.name} is recorded.`, event_ids: [event.id] }
  const bad = { text: `${event.name} is well controlled.`, event_ids: [event.id] }
  for (const [what, reply] of [
    ['most of it dropped', telling([{ title: event.name, sentences: [good, bad, bad] }])],
    ['ids of nothing', telling([{ title: 'x', sentences: [{ text: good.text, event_ids: ['e999'] }] }])],
    ['no stories', telling([])],
    ['no JSON', answering('As an assistant')],
    ['the key is wrong', { kind: 'status', status: 401 }],
    ['the question is refused', { kind: 'status', status: 400 }],
    ['the budget is spent', { kind: 'status', status: 429, code: 'insufficient_quota' }],
  ] as const) {
    const asked = far.asked.length
    await again(reply)
    t.equal(far.asked.length, asked + 1, `${what}: asked`)
    t.same(await modelsIn(db), [templates], what)
    t.same(await citedIn(db), await eventIds(db), `${what}: all is told`)
  }
})

test('a service that is away is asked again, and then told without', async (t) => {
  const { db, far, runner } = await narrating(t)
  far.answersWith(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 503 }) as const))
  for (let stage = 0; stage < 5; stage += 1) await runner.runOne()
  for (const settled of ['retrying', 'retrying', 'completed']) {
    t.match(await runner.runOne(), { type: 'pass3_narrate', settled })
    await serve(db, sql`update job_queue set scheduled_at = now() where status = 'pending'`)
  }
  t.equal(far.asked.length, 3)
  t.same(await modelsIn(db), [templates])
})

test('what is sent names nobody and holds no id of ours', async (t) => {
  const { db, far, runner, person } = await narrating(t)
  far.answersWith({ kind: 'refusal' })
  await runner.runAll()
  const text = textOf(far)
  t.ok(eventsIn(far).length > 10)
  for (const { id } of await eventIds(db)) t.notMatch(text, id)
  t.notMatch(text, person.profileId)
  t.notMatch(text, /\b(?:Dr|Prof|Mrs|Mr|Ms)\b/)
})

test('without consent nothing is sent, and templates tell', async (t) => {
  const { db, far, runner, person } = await narrating(t)
  await decide(db, person, 'denied', { purpose: 'outside_ai' })
  await runner.runAll()
  t.same(far.asked, [])
  t.same(await modelsIn(db), [templates])
  t.match(await resultOf(db), { outside_ai: 'no_consent' })
})

test('an event that goes while a model writes about it is not told', async (t) => {
  const { db, far, runner, again } = await narrating(t)
  far.answersWith({ kind: 'refusal' })
  await runner.runAll()
  const conditions = eventsIn(far).filter(({ status, type }) => status === 'present' && type === 'condition')
  const [first, second] = conditions
  if (first === undefined || second === undefined) throw new Error('the letter has changed')
  const waiting = far.nextAsked().then(() =>
    serve(
      db,
      sql`update patient_clinical_events set archived_at = now()
        where id in (select event_id from patient_conditions where name = ${first.name})`,
    ),
  )
  await again(
    telling([
      {
        title: 'Problems',
        sentences: [first, second].map(({ name, id }) => ({ text: `${name} is recorded.`, event_ids: [id] })),
      },
    ]),
  )
  await waiting
  const told = (await storiesOf(db)).map(({ sentence }) => sentence)
  t.notOk(told.some((sentence) => sentence.includes(first.name)))
  t.ok(told.includes(`${second.name} is recorded.`))
})

test('what was told once of the same events is not paid for again', async (t) => {
  const { db, far, runner, person, file } = await narrating(t)
  far.answersWith(telling([]))
  await runner.runAll()
  await asActor(db, person.actor, (tx) => tx.execute(sql`select reprocess_shell_file(${file}, 'pass3_narrate')`))
  await runner.runAll()
  t.equal(far.asked.length, 1)
  const runs = await serve(
    db,
    sql`select tokens_in::int as tokens from semantic_processing_sessions where stage = 'pass3_narrate' order by created_at`,
  )
  t.same(runs, [{ tokens: 100 }, { tokens: 0 }])
})

test('a model that is closed is told to operators and to the person, until it answers again', async (t) => {
  const { db, runner, again, far } = await narrating(t)
  const closed = async () => {
    const rows = await serve<{ value: number }>(
      db,
      sql`select value::int as value from evaluate_slos() where slo = 'closed_models'`,
    )
    return rows[0]?.value
  }
  const notices = () =>
    serve(
      db,
      sql`select outcome -> 'notices' -> 0 ->> 'code' as code from shell_file_stages where stage = 'pass3_narrate'`,
    )
  far.answersWith({ kind: 'status', status: 429, code: 'insufficient_quota' })
  await runner.runAll()
  t.equal(await closed(), 1)
  t.same(await notices(), [{ code: 'model_not_told' }])
  t.match(await resultOf(db), { model_outcome: 'quota_spent' })
  await again({ kind: 'status', status: 401 })
  t.match(await resultOf(db), { model_outcome: 'misconfigured' })
  t.equal(await closed(), 1)
  await again(telling([]))
  t.equal(await closed(), 0)
})
