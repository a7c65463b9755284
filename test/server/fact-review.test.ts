import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { packLayout } from '../../clinical/document/stored-layout.ts'
import { asService } from '../../db/actor.ts'
import { saveText } from '../../db/queries/texts.ts'
import { actorOf, serve } from '../support/actors.ts'
import { printDocument } from '../clinical/extraction/print-document.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'
import { recordOf, runPasses } from '../support/fact-decisions.ts'
import { source } from '../support/facts.ts'
import { pdf } from '../support/multipart.ts'

type Fact = Readonly<Record<string, unknown>>

test('what people say of facts', async (group) => {
  const server = await startApp(group)
  const { db, account } = server
  const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
  const documentOf = async (who: TestAccount) => {
    const shellFileId = String((await who.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])
    return { shellFileId, patientId: who.profileId }
  }
  const aspirinIn = async (who: TestAccount) => {
    const file = await documentOf(who)
    await runPasses(db, file, [{ detail: { frequency: 'daily', frequencyCode: '1/d' } }])
    return file
  }
  const factsOf = async (who: TestAccount, id: string) =>
    (await who.get(`/documents/${id}/facts`)).body['facts'] as Fact[]

  await group.test('a fact is accepted, corrected, rejected, and each is taken back', async (t) => {
    const person = await account(randomUUID())
    const file = await aspirinIn(person)
    const facts = () => factsOf(person, file.shellFileId)
    const [found] = await facts()
    t.match(found, { review: 'unreviewed', detail: { frequency: 'daily' }, as_found: null, decision_id: null })
    const path = `/facts/${String(found?.['id'])}`

    const accepted = await person.patch(path, { review: 'accepted', version: found?.['version'] })
    t.match(accepted, { status: 200, body: { fact: { review: 'accepted', confidence: 'high', in_record: true } } })
    t.match(await person.patch(path, { review: 'rejected', reason: 'other', version: found?.['version'] }), {
      status: 409,
      body: { code: 'fact_changed' },
    })
    const [now] = await facts()
    const edited = await person.patch(path, {
      review: 'edited',
      version: now?.['version'],
      value: '75',
      date: '2021-03-07',
      detail: { frequency: 'twice daily', dose: '1 tablet' },
      code: { system: 'RxNorm', code: '243670', display: 'aspirin 81 MG' },
    })
    t.match(edited, {
      status: 200,
      body: {
        fact: {
          review: 'edited',
          value: '75',
          date: '2021-03-07',
          code: { code: '243670' },
          detail: { frequency: 'twice daily', dose: '1 tablet' },
          as_found: { value: '100', date: '2021-02', detail: { frequency: 'daily' } },
        },
      },
    })
    const [medicine] = await serve(
      db,
      sql`select strength, dose, frequency, frequency_code, code from patient_medications`,
    )
    t.same(medicine, {
      strength: '75',
      dose: '1 tablet',
      frequency: 'twice daily',
      frequency_code: null,
      code: '243670',
    })
    const rejected = await person.patch(path, { review: 'rejected', reason: 'wrong_person' })
    t.match(rejected, { status: 200, body: { fact: { review: 'rejected', in_record: false } } })
    t.same(await recordOf(db, acting(person)), [])

    const history = await person.get(`/documents/${file.shellFileId}/review`)
    t.match(history.body, {
      decisions: [
        { decision: 'rejected', reason: 'wrong_person', is_own: true, undone_at: null },
        { decision: 'edited', reason: null },
        { decision: 'accepted' },
      ],
    })
    const undo = (decisionId: unknown) =>
      person.post(`/documents/${file.shellFileId}/review/undo`, { decision_id: decisionId })
    t.match(await undo(accepted.body['decision_id']), { status: 409, body: { code: 'later_decision_stands' } })
    t.match(await undo(randomUUID()), { status: 404 })
    for (const { body } of [rejected, edited, accepted]) t.equal((await undo(body['decision_id'])).status, 200)
    const [last] = await facts()
    t.same({ ...last, version: null }, { ...found, version: null })
  })

  await group.test('what two documents say is set apart, and taken together again', async (t) => {
    const [person, stranger] = [await account(randomUUID()), await account(randomUUID())]
    const [one, two] = [await aspirinIn(person), await aspirinIn(person)]
    const [first] = await factsOf(person, one.shellFileId)
    const [second] = await factsOf(person, two.shellFileId)
    t.match(second, { also_in: [{ document_id: one.shellFileId, fact_id: first?.['id'] }], is_separate: false })
    const path = `/facts/${String(second?.['id'])}`
    t.match(await stranger.patch(path, { review: 'separated' }), { status: 404 })
    t.match(await person.patch(path, { review: 'separated', apart_from: 'nobody' }), { status: 400 })

    const answer = await person.patch(path, { review: 'separated', version: second?.['version'] })
    t.match(answer, { status: 200, body: { fact: { review: 'accepted', is_separate: true, also_in: [] } } })
    t.equal((await recordOf(db, acting(person))).length, 2)
    t.match(await person.patch(`/facts/${String(first?.['id'])}`, { review: 'separated' }), {
      status: 409,
      body: { code: 'nothing_to_separate' },
    })
    t.match((await person.get(`/documents/${two.shellFileId}/review`)).body, { decisions: [{ decision: 'separated' }] })
    const taken = { decision_id: answer.body['decision_id'] }
    t.match(await stranger.post(`/documents/${two.shellFileId}/review/undo`, taken), { status: 404 })
    t.match(await person.post(`/documents/${two.shellFileId}/review/undo`, taken), { status: 200 })
    t.same({ ...(await factsOf(person, two.shellFileId))[0], version: null }, { ...second, version: null })
  })

  await group.test('a fact names the text that it points into, and that text is shown', async (t) => {
    const person = await account(randomUUID())
    const file = await documentOf(person)
    const write = (content: string) =>
      asService(db, {}, (tx) => saveText(tx, file.shellFileId, { content, layout: {} }))
    await write('Result: Aspirin 100 mg')
    const place = source({ textStart: 8, textLength: 7 })
    await runPasses(db, file, [{ sources: [place] }])
    const [found] = await factsOf(person, file.shellFileId)
    await person.patch(`/facts/${String(found?.['id'])}`, { review: 'accepted' })
    await write('Aspirin is not to be found at that place any more')
    await runPasses(db, file, [], 2)

    const [fact] = await factsOf(person, file.shellFileId)
    const [pointed] = (fact?.['sources'] ?? []) as readonly Record<string, number>[]
    const { start = 0, length = 0, quote, text_version: version } = pointed ?? {}
    t.equal(version, 1)
    const text = async (query: string) =>
      String((await person.get(`/documents/${file.shellFileId}/text${query}`)).body['text'])
    t.equal((await text(`?version=${version}`)).slice(start, start + length), quote)
    t.not((await text('')).slice(start, start + length), quote, 'the newest is another one')
    const entered = { type: 'allergy', text: 'Aspirin', sources: [{ start: 8, length: 7 }], text_version: 1 }
    t.match(await person.post(`/documents/${file.shellFileId}/facts`, entered), {
      status: 409,
      body: { code: 'fact_changed' },
    })
  })

  await group.test('a request that says nothing sensible is told so', async (t) => {
    const person = await account(randomUUID())
    const file = await aspirinIn(person)
    const [found] = await factsOf(person, file.shellFileId)
    const path = `/facts/${String(found?.['id'])}`
    for (const body of [
      {},
      { review: 'perhaps' },
      { review: 'rejected' },
      { review: 'rejected', reason: 'the dose of my mother' },
      { review: 'edited', date: '2021-02-30' },
      { review: 'edited', date: 'Tuesday' },
      { review: 'edited', status: 'maybe' },
      { review: 'edited', detail: { colour: 'red' } },
    ])
      t.match(await person.patch(path, body), { status: 400 }, JSON.stringify(body))
    t.match(await person.patch(`/facts/${randomUUID()}`, { review: 'accepted' }), { status: 404 })
    t.match(await factsOf(person, file.shellFileId), [{ review: 'unreviewed' }])
  })

  await group.test('others do not see it, and who may only read it may not decide', async (t) => {
    const [person, reader, stranger] = [
      await account(randomUUID()),
      await account(randomUUID()),
      await account(randomUUID()),
    ]
    await giveAccess(db, acting(person), acting(reader), person.profileId, { level: 'read_only' })
    const file = await aspirinIn(person)
    const [found] = await factsOf(person, file.shellFileId)
    const id = String(found?.['id'])
    const asked = (who: TestAccount) => [
      who.patch(`/facts/${id}`, { review: 'accepted' }),
      who.post(`/documents/${file.shellFileId}/review`, {}),
      who.post(`/documents/${file.shellFileId}/facts`, { type: 'allergy', text: 'Penicillin' }),
    ]
    for (const answer of await Promise.all(asked(reader))) t.match(answer, { status: 403, body: { code: 'forbidden' } })
    for (const answer of await Promise.all(asked(stranger))) t.match(answer, { status: 404 })
    t.equal((await reader.get(`/documents/${file.shellFileId}/review`)).status, 200)
    t.equal((await stranger.get(`/documents/${file.shellFileId}/review`)).status, 404)
    await person.remove(`/documents/${file.shellFileId}`)
    t.match(await person.patch(`/facts/${id}`, { review: 'accepted' }), { status: 404 }, 'nor what lies in the bin')
  })

  await group.test('many are accepted at once', async (t) => {
    const person = await account(randomUUID())
    const file = await documentOf(person)
    await runPasses(db, file, [
      {},
      { findingKey: 'b', factText: 'Warfarin', concept: null, sources: [source({ textStart: 50 })] },
    ])
    await serve(
      db,
      sql`update entity_processing_audit_v2 set confidence = 'high' where shell_file_id = ${file.shellFileId}`,
    )
    const review = (body: object) => person.post(`/documents/${file.shellFileId}/review`, body)
    const answer = await review({})
    t.equal(answer.status, 200)
    t.equal((answer.body['accepted'] as unknown[]).length, 2)
    t.match(await factsOf(person, file.shellFileId), [{ review: 'accepted' }, { review: 'accepted' }])
    t.match((await review({})).body, { accepted: [], skipped: [] })
    const stranger = await account(randomUUID())
    const theirs = await aspirinIn(stranger)
    t.match(
      await stranger.post(`/documents/${theirs.shellFileId}/review`, { decision_id: answer.body['decision_id'] }),
      { status: 409, body: { code: 'conflict' } },
    )
    const undone = await person.post(`/documents/${file.shellFileId}/review/undo`, {
      decision_id: answer.body['decision_id'],
    })
    t.match(undone.body, { facts: [{ review: 'unreviewed' }, { review: 'unreviewed' }] })
  })

  await group.test('a fact is added by hand, with the words that say so or without', async (t) => {
    const person = await account(randomUUID())
    const file = await documentOf(person)
    const printed = printDocument('Allergies\nPenicillin rash')
    await asService(db, {}, (tx) =>
      saveText(tx, file.shellFileId, { content: printed.text, layout: packLayout(printed) }),
    )
    const path = `/documents/${file.shellFileId}/facts`
    const id = randomUUID()
    const allergy = {
      id,
      type: 'allergy',
      text: 'Penicillin',
      detail: { reaction: 'rash' },
      sources: [{ start: 10, length: 10 }],
    }
    const entered = await person.post(path, allergy)
    t.match(entered, {
      status: 201,
      body: {
        id,
        status: 'present',
        review: 'accepted',
        confidence: 'high',
        in_record: true,
        sources: [{ page: 1, quote: 'Penicillin', start: 10, length: 10 }],
        found_by: { provider: 'person' },
      },
    })
    t.same((await person.post(path, allergy)).body, entered.body, 'sent twice it is there once')
    t.match(await recordOf(db, acting(person)), [{ name: 'Penicillin', review: 'accepted' }])

    const bare = await person.post(path, { type: 'vital_sign', text: 'Blood pressure', value: '120/80', unit: 'mmHg' })
    t.match(bare, { status: 201, body: { sources: [], in_record: true } })
    t.match(await person.post(path, { ...allergy, id: randomUUID(), sources: [{ start: 900, length: 4 }] }), {
      status: 422,
      body: { code: 'no_words_there' },
    })
    t.match(await person.post(path, { type: 'identity', text: 'Ada' }), { status: 400 })
    const box = (entered.body['sources'] as { box: number[] }[])[0]?.box
    t.match(await person.post(path, { type: 'condition', text: 'Rash', sources: [{ page: 1, box }] }), {
      status: 201,
      body: { sources: [{ quote: 'Penicillin' }] },
    })

    await runPasses(db, file, [])
    t.equal((await recordOf(db, acting(person))).length, 3, 'no run takes it away')
    await person.post(`/documents/${file.shellFileId}/review/undo`, { decision_id: entered.body['decision_id'] })
    t.equal((await recordOf(db, acting(person))).length, 2)
    t.notOk((await factsOf(person, file.shellFileId)).some((fact) => fact['id'] === id))
  })
})
