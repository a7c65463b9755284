import { completeStages, beginStage, fillRecord, finishStage, holdForReview } from '../../support/factories.ts'
import { runPasses } from '../../support/fact-decisions.ts'
import type { House } from './house.ts'

type Path = { readonly id: string; readonly n: string }

export async function readDocuments(house: House): Promise<void> {
  const { server, person, uploaded } = house
  const path = { id: await uploaded(), n: '1' }
  await completeStages(server.db, path.id, ['security_scan'])
  await fillRecord(server.db, { id: path.id, patientId: person.profileId })
  await readWhole(house, path)
  await readUnfinished(house)
  await reviewIdentity(house)
  await decideOnFacts(house)
  await processAgain(house, path)
}

async function readWhole({ person, asPerson }: House, path: Path): Promise<void> {
  const query = `?patient_id=${person.profileId}`
  const parts = [
    '/pages',
    '/facts',
    '/narratives',
    '/text',
    '/pages/{n}/words',
    '/pages/{n}/image',
    '/content',
    '/events',
  ]
  for (const name of ['', ...parts]) await asPerson(`GET /documents/{id}${name}`, { path })
  await asPerson('GET /documents/{id}/pages/{n}/words', { path, query: '?q=words' })
  await asPerson('GET /profiles/{id}/narratives', { path: { id: person.profileId } })
  await asPerson('GET /documents', { query })
  await asPerson('GET /documents/{id}/events', { path, headers: { accept: 'image/png' } })
  await asPerson('GET /realtime', { headers: { accept: 'image/png' } })
  await asPerson('GET /realtime', { headers: { 'last-event-id': 'x' } })
  const etags = { image: '', content: '' }
  for (const [name, route] of [
    ['image', '/pages/{n}/image'],
    ['content', '/content'],
  ] as const)
    etags[name] = (await asPerson(`GET /documents/{id}${route}`, { path })).headers.get('etag') ?? ''
  await asPerson('GET /documents/{id}/pages/{n}/image', { path, headers: { 'if-none-match': etags.image } })
  await asPerson('GET /documents/{id}/content', { path, headers: { 'if-none-match': etags.content } })
  await asPerson('GET /documents/{id}/content', { path, headers: { 'if-match': '"another"' } })
  for (const range of ['bytes=0-1', 'bytes=99999-'])
    await asPerson('GET /documents/{id}/content', { path, headers: { range } })
}

async function readUnfinished({ server, asPerson, uploaded }: House): Promise<void> {
  const unread = { id: await uploaded(), n: '1' }
  const failed = { id: await uploaded(), n: '1' }
  await beginStage(server.db, failed.id, 'security_scan')
  await finishStage(server.db, failed.id, 'security_scan', 'failed')
  for (const one of [unread, failed]) {
    await asPerson('GET /documents/{id}/content', { path: one })
    await asPerson('GET /documents/{id}/pages/{n}/image', { path: one })
  }
}

async function reviewIdentity({ server, api, person, carer, asPerson, uploaded }: House): Promise<void> {
  const held = { id: await uploaded() }
  const unread = { id: await uploaded() }
  await holdForReview(server.db, held.id, person.profileId)
  const decision = { json: { decision: 'accepted' } }
  await api.ask('POST /documents/{id}/identity-review', { token: carer.token, path: held, ...decision })
  for (const one of [held, unread]) await asPerson('POST /documents/{id}/identity-review', { path: one, ...decision })
}

async function decideOnFacts({ server, api, person, carer, asPerson, uploaded }: House): Promise<void> {
  const path = { id: await uploaded() }
  const other = { id: await uploaded() }
  await runPasses(server.db, { shellFileId: path.id, patientId: person.profileId }, [{}])
  await holdForReview(server.db, other.id, person.profileId)
  const enter = (json: object) => asPerson('POST /documents/{id}/facts', { path, json })
  const penicillin = { type: 'allergy', text: 'Penicillin' }
  const entered = await enter(penicillin)
  await enter({ ...penicillin, sources: [{ start: 0, length: 9 }] })
  await asPerson('POST /documents/{id}/facts', { path: other, json: penicillin })
  await api.ask('POST /documents/{id}/facts', { token: carer.token, path, json: penicillin })

  const fact = { id: String(entered.body['id']) }
  const decide = (json: object) => asPerson('PATCH /facts/{id}', { path: fact, json })
  await api.ask('PATCH /facts/{id}', { token: carer.token, path: fact, json: { review: 'accepted' } })
  const edited = await decide({ review: 'edited', status: 'historical' })
  await decide({ review: 'rejected', reason: 'duplicate' })
  await decide({ review: 'accepted' })

  const accepted = await asPerson('POST /documents/{id}/review', { path, json: {} })
  const known = { json: { decision_id: String(edited.body['decision_id']) } }
  await asPerson('POST /documents/{id}/review', { path: other, ...known })
  await api.ask('POST /documents/{id}/review', { token: carer.token, path, json: {} })
  for (const name of ['review', 'changes']) await asPerson(`GET /documents/{id}/${name}`, { path })
  const done = { json: { decision_id: String(accepted.body['decision_id']) } }
  const undo = 'POST /documents/{id}/review/undo'
  await asPerson(undo, { path, ...known })
  await api.ask(undo, { token: carer.token, path, ...known })
  await asPerson(undo, { path, ...done })
}

async function processAgain({ server, api, owner, carer, asPerson, uploaded }: House, path: Path): Promise<void> {
  const failed = await uploaded()
  await beginStage(server.db, failed, 'security_scan')
  await finishStage(server.db, failed, 'security_scan', 'failed')
  await owner`update job_queue set status = 'cancelled' where shell_file_id = ${failed}`
  await asPerson('POST /api/process-document', { json: { shell_file_id: failed } })
  await asPerson('POST /api/process-document', { json: { shell_file_id: failed } })
  await api.ask('POST /api/process-document', { token: carer.token, json: { shell_file_id: path.id } })
}
