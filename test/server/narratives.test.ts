import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { replaceNarratives } from '../../db/queries/narratives.ts'
import type { Database } from '../../db/client.ts'
import { narrativeListSchema } from '../../server/routes/narratives.ts'
import { actorOf, ownerSql, serve } from '../support/actors.ts'
import { admitClinician, registerProvider, verifyProvider } from '../support/clinicians.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { admit, find, type File } from '../support/facts.ts'
import { operatorOf } from '../support/grounds.ts'
import { pdf } from '../support/multipart.ts'

async function fileOf(who: TestAccount): Promise<File> {
  const id = String((await who.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])
  return { shellFileId: id, patientId: who.profileId }
}

const tell = (db: Database, file: File, eventId: string) =>
  asService(db, {}, (tx) =>
    replaceNarratives(tx, file, [
      {
        title: 'Medicines',
        provider: 'local',
        model: 'templates-2',
        promptVersion: null,
        sentences: [{ sentence: 'Aspirin is listed.', citedEventIds: [eventId] }],
      },
    ]),
  )

const narrativesAt = async (who: TestAccount, path: string) => {
  const { status, body } = await who.get(`${path}/narratives`)
  const { narratives } = status === 200 ? narrativeListSchema.parse(body) : { narratives: [] }
  return narratives
}

test('storylines', async (group) => {
  const { db, account, ownerUrl } = await startApp(group)

  await group.test('lead from each sentence to the facts of all documents that say it', async (t) => {
    const person = await account(randomUUID())
    const [one, two] = [await fileOf(person), await fileOf(person)]
    const [first = ''] = await find(db, one)
    await admit(db, one, first)
    const [again = ''] = await find(db, two)
    await admit(db, two, again)
    await tell(db, two, first)

    const sentence = {
      sentence: 'Aspirin is listed.',
      event_ids: [first],
      fact_ids: [first, again],
      document_ids: [one.shellFileId, two.shellFileId],
    }
    t.same(await narrativesAt(person, `/documents/${one.shellFileId}`), [])
    const told = [{ title: 'Medicines', model: 'templates-2', sentences: [sentence] }]
    const sorted = (lists: Awaited<ReturnType<typeof narrativesAt>>) =>
      lists.map((story) => ({
        ...story,
        sentences: story.sentences.map((each) => ({
          ...each,
          fact_ids: [first, again].filter((id) => each.fact_ids.includes(id)),
          document_ids: [one, two].map((file) => file.shellFileId).filter((id) => each.document_ids.includes(id)),
        })),
      }))
    t.same(sorted(await narrativesAt(person, `/documents/${two.shellFileId}`)), told)
    t.same(
      sorted(await narrativesAt(person, `/profiles/${person.profileId}`)),
      told,
      'of the person, without being stored',
    )

    await t.test('but not to those in the bin', async (binned) => {
      binned.equal((await person.remove(`/documents/${one.shellFileId}`)).status, 204)
      const [story] = await narrativesAt(person, `/profiles/${person.profileId}`)
      binned.match(story?.sentences, [{ fact_ids: [again], document_ids: [two.shellFileId] }])
      binned.equal((await person.remove(`/documents/${two.shellFileId}`)).status, 204)
      binned.same(await narrativesAt(person, `/profiles/${person.profileId}`), [], 'nor what these alone say')
      binned.equal((await person.get(`/documents/${two.shellFileId}/narratives`)).status, 404)
      binned.equal((await person.post(`/documents/${two.shellFileId}/restore`, {})).status, 200)
      binned.equal((await narrativesAt(person, `/documents/${two.shellFileId}`)).length, 1)
      binned.equal((await narrativesAt(person, `/profiles/${person.profileId}`)).length, 1)
    })

    await t.test('nor to what is archived', async (archived) => {
      await serve(db, sql`update patient_clinical_events set archived_at = now() where id = ${first}`)
      archived.same(await narrativesAt(person, `/profiles/${person.profileId}`), [])
      archived.same(await narrativesAt(person, `/documents/${two.shellFileId}`), [])
    })
  })

  await group.test('are of one person, and a clinician sees what the approval names', async (t) => {
    const person = await account(randomUUID())
    const stranger = await account(randomUUID())
    const file = await fileOf(person)
    const [eventId = ''] = await find(db, file)
    await admit(db, file, eventId)
    await tell(db, file, eventId)
    const paths = [`/documents/${file.shellFileId}`, `/profiles/${person.profileId}`]
    for (const path of paths) t.equal((await stranger.get(`${path}/narratives`)).status, 404)

    const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    const operator = await operatorOf(db, ownerSql(t, ownerUrl))
    const countAs = async (resources: readonly string[]) => {
      const doctor = await account(randomUUID())
      await verifyProvider(db, operator, await registerProvider(db, acting(doctor)))
      await admitClinician(db, acting(doctor), acting(person), person.profileId, { resources })
      const lists = await Promise.all(paths.map(async (path) => await narrativesAt(doctor, path)))
      return lists.map((stories) => stories.map(({ sentences }) => sentences.map(({ fact_ids: ids }) => ids.length)))
    }
    t.same(await countAs(['document']), [[], []], 'the document alone')
    t.same(await countAs(['document', 'clinical']), [[], []], 'facts without stories')
    t.same(await countAs(['document', 'narrative']), [[[0]], []], 'stories without the facts behind them')
    t.same(await countAs(['document', 'clinical', 'narrative']), [[[1]], [[1]]])
  })
})
