import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { actorOf, ask, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount, TestApp } from '../support/app.ts'
import { completeStages, fillRecord, giveAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'
import { eventually } from '../support/signals.ts'
import { openSystem } from '../support/system.ts'

/** Routes that show something of a person's record, and the trace that each leaves. A new one is added here, with its trace. */
const traced: Readonly<Record<string, { view: string; table: string; record?: 'person' | 'page' }>> = {
  '/documents': { view: 'document_list', table: 'shell_files', record: 'person' },
  '/documents/{id}': { view: 'document', table: 'shell_files' },
  '/documents/{id}/changes': { view: 'document_changes', table: 'fact_snapshots' },
  '/documents/{id}/content': { view: 'document_content', table: 'shell_files' },
  '/documents/{id}/events': { view: 'document_events', table: 'shell_file_events' },
  '/documents/{id}/facts': { view: 'document_facts', table: 'entity_processing_audit_v2' },
  '/documents/{id}/narratives': { view: 'document_narratives', table: 'clinical_narratives' },
  '/documents/{id}/review': { view: 'document_review', table: 'fact_review_decisions' },
  '/documents/{id}/pages': { view: 'document_pages', table: 'shell_file_pages' },
  '/documents/{id}/pages/{n}/image': { view: 'page_image', table: 'shell_file_pages', record: 'page' },
  '/documents/{id}/pages/{n}/words': { view: 'page_words', table: 'shell_file_pages', record: 'page' },
  '/documents/{id}/text': { view: 'document_text', table: 'shell_file_texts' },
  '/profiles/{id}/narratives': { view: 'profile_narratives', table: 'patient_clinical_events', record: 'person' },
}
/** Routes that show nothing of it. */
const untraced: Readonly<Record<string, string>> = {
  '/health': 'nobody',
  '/ready': 'nobody',
  '/metrics': 'counts',
  '/auth/token': 'the account itself',
  '/auth/jwks': 'keys',
  '/profiles': 'names of those whom one may see',
  '/profiles/{id}': 'the same of one',
  '/profiles/{id}/access-log': 'who looked; ids, no content',
  '/usage': 'counts',
  '/usage/plans': 'the same for everybody',
  '/usage/check': 'counts',
  '/usage/history': 'counts',
  '/profiles/{id}/exports': 'that there are archives',
  '/profiles/{id}/exports/{export_id}/content': 'all of it; open_data_export writes its row in the same transaction',
  '/account/closure': 'the account itself',
  '/profiles/{id}/access': 'who may see it; no content',
  '/profiles/{id}/consents': 'what was agreed to; no content',
  '/providers/requests': 'who asks to see it; no content',
  '/audit/events': 'who looked; ids, no content; what operators read of it is logged by its own function',
  '/notifications': 'the account itself',
  '/realtime': 'ids, and how far each is; no content',
  '/documents/upload/resumable/{id}': 'how far an upload of the account itself is',
}

const picture = () => Promise.resolve(Buffer.from('a picture'))

/** A document that has a page, text and facts, and whose bytes may be handed out. */
async function readDocumentOf({ db }: TestApp, who: TestAccount): Promise<string> {
  const id = String((await who.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])
  await completeStages(db, id, ['security_scan'])
  await fillRecord(db, { id, patientId: who.profileId })
  return id
}

const readsIn = (owner: postgres.Sql) => owner`
  select table_name, record_id, patient_id, changed_by, correlation_id, host(ip_address) as address,
    new_values ->> 'view' as view, new_values ->> 'basis' as basis, new_values ->> 'grant_id' as grant_id,
    (new_values ->> 'count')::int as count
  from audit_log where operation = 'SELECT' order by changed_at`

test('every route that shows a record leaves a trace of who saw what', async (t) => {
  const server = await startApp(t, { renderPage: picture, accounts: 'outside' })
  const owner = ownerSql(t, server.ownerUrl)
  const paths = Object.entries(server.app.swagger().paths ?? {})
    .filter(([, item]) => item !== undefined && 'get' in item)
    .map(([path]) => path)
  const decided = new Set([...Object.keys(traced), ...Object.keys(untraced)])
  t.same(
    paths.filter((path) => !decided.has(path)),
    [],
    'whether a new route shows a record is decided here',
  )
  t.same(
    Object.keys(traced).filter((path) => !paths.includes(path)),
    [],
  )

  const [parent, carer] = [await server.account(randomUUID()), await server.account(randomUUID())]
  const id = await readDocumentOf(server, parent)
  const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
  const permission = await giveAccess(server.db, acting(parent), acting(carer), parent.profileId)
  for (const who of [parent, carer]) {
    for (const [path, { view, record }] of Object.entries(traced)) {
      const controller = new AbortController()
      const filled = path.replace('{id}', record === 'person' ? parent.profileId : id).replace('{n}', '1')
      const answer = await fetch(`${server.url}${filled}?patient_id=${parent.profileId}`, {
        headers: { ...who.headers, 'x-correlation-id': `${view}-${who.accountId}` },
        signal: controller.signal,
      })
      t.equal(answer.status, 200, path)
      // The events would go on.
      if (view === 'document_events') controller.abort()
      else await answer.arrayBuffer()
    }
  }
  await server.app.close()
  const rows = await readsIn(owner)
  const expected = [parent, carer].flatMap((who) =>
    Object.values(traced).map(({ view, table, record }) => ({
      table_name: table,
      record_id: record === 'person' ? parent.profileId : record === 'page' ? `${id}/1` : id,
      patient_id: parent.profileId,
      changed_by: who.accountId,
      correlation_id: `${view}-${who.accountId}`,
      address: '127.0.0.1',
      view,
      basis: who === parent ? 'owner' : 'delegate',
      grant_id: who === parent ? parent.profileId : permission,
      count: 1,
    })),
  )
  t.same([...rows], expected)
})

test('parts, heads and “unchanged” are reads like any other, and problems are none', async (t) => {
  const server = await startApp(t, { renderPage: picture })
  const owner = ownerSql(t, server.ownerUrl)
  const [person, stranger] = [await server.account(randomUUID()), await server.account(randomUUID())]
  const id = await readDocumentOf(server, person)
  const unscanned = String((await person.upload({ bytes: pdf('new') })).body['shell_file_id'])

  const problems = [
    [stranger, `/documents/${id}`, 404],
    [stranger, `/documents/${id}/events`, 404],
    [stranger, `/documents?patient_id=${person.profileId}`, 404],
    [person, `/documents/${randomUUID()}`, 404],
    [person, `/documents/${id}/text?version=7`, 404],
    [person, `/documents/${id}/pages/9/words`, 404],
    [person, `/documents/${unscanned}/content`, 409],
  ] as const
  for (const [who, path, status] of problems) t.equal((await who.get(path)).status, status, path)
  t.equal((await person.get(`/documents/${id}/content`, { range: 'bytes=999999-' })).status, 416)

  const content = `/documents/${id}/content`
  const whole = await person.get(content)
  const etag = whole.headers.get('etag') ?? ''
  t.equal((await person.get(content, { 'if-none-match': etag })).status, 304)
  t.equal((await person.get(content, { range: 'bytes=0-3' })).status, 206)
  const head = await fetch(`${server.url}${content}`, { method: 'HEAD', headers: person.headers })
  t.equal(head.status, 200)
  await server.app.close()
  const rows = await readsIn(owner)
  t.ok(rows.every((row) => row['view'] === 'document_content' && row['record_id'] === id))
  t.equal(
    rows.reduce((sum, row) => sum + Number(row['count']), 0),
    4,
  )
})

test('what is read by who lost access meanwhile keeps the ground that it was read on', async (t) => {
  const server = await startApp(t)
  const owner = ownerSql(t, server.ownerUrl)
  const [parent, carer] = [await server.account(randomUUID()), await server.account(randomUUID())]
  const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
  const permission = await giveAccess(server.db, acting(parent), acting(carer), parent.profileId)
  const id = await readDocumentOf(server, parent)
  t.equal((await carer.get(`/documents/${id}`)).status, 200)
  await ask(server.db, actorOf(parent.accountId), sql`select public.revoke_profile_access(${permission})`)
  t.equal((await carer.get(`/documents/${id}`)).status, 404)
  await server.app.close()
  t.match(await readsIn(owner), [{ changed_by: carer.accountId, basis: 'delegate', grant_id: permission, count: 1 }])
})

test('a server that is asked to stop leaves every trace in the log', async (t) => {
  const system = await openSystem(t)
  const server = await system.startServer()
  const person = await system.introduce(server, { name: 'Ann Example', bornOn: '1980-01-02' })
  const letter = fileURLToPath(new URL('../fixtures/documents/lab-report-au.pdf', import.meta.url))
  const id = await person.giveBytes({ bytes: await readFile(letter) })
  await person.document(id)
  const written = () => system.sql`select from audit_log where operation = 'SELECT'`
  await eventually(async () => {
    if ((await written()).length !== 1) throw new Error('not yet')
  })
  t.equal((await written()).length, 1, 'in the log within moments')

  await Promise.all([
    person.facts(id),
    person.get(`/documents/${id}/pages`),
    person.get(`/documents?patient_id=${person.profileId}`),
    ...Array.from({ length: 20 }, () => person.document(id)),
  ])
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
  const [reads] = await system.sql<{ count: number }[]>`
    select sum((new_values ->> 'count')::int)::int as count from audit_log where operation = 'SELECT'`
  t.equal(reads?.count, 24)
})
