import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, ask, ownerSql, refusal, serve } from '../support/actors.ts'
import { fillRecord, holdForReview } from '../support/factories.ts'
import { startApp } from '../support/app.ts'
import { pdf, uploadForm } from '../support/multipart.ts'

// Holes of an earlier system with this vocabulary, S7 and S15 to S20, tried over HTTP or as who runs SQL of their own.

const telling = 'hiv positive John Citizen 1961-02-03'

test('S7: nobody chooses where a file lies', async (t) => {
  const { account, ownerUrl } = await startApp(t)
  const owner = ownerSql(t, ownerUrl)
  const [victim, attacker] = [await account(randomUUID()), await account(randomUUID())]
  t.equal((await victim.upload({ bytes: pdf('hers') })).status, 201)
  const [hers] = await owner`select storage_key from shell_files`
  const key = String(hers?.['storage_key'])
  const form = uploadForm(attacker.profileId, pdf('mine'), { storage_key: key, storage_path: key })
  await attacker.upload({ form })
  const keys = await owner`select storage_key, patient_id from shell_files where storage_key = ${key}`
  t.same([...keys], [{ storage_key: key, patient_id: victim.profileId }], 'fields of that name mean nothing')
})

test('S7: not even as the database’s caller is another’s object taken over', async (t) => {
  const { account, ownerUrl, db } = await startApp(t)
  const owner = ownerSql(t, ownerUrl)
  const [victim, attacker] = [await account(randomUUID()), await account(randomUUID())]
  await victim.upload({ bytes: pdf('hers') })
  const [hers] = await owner`select storage_key from shell_files`
  const attempt = sql`select public.register_shell_file(
    p_shell_file_id => ${randomUUID()}, p_patient_id => ${attacker.profileId}, p_filename => 'x.pdf', p_mime_type => 'application/pdf',
    p_size_bytes => 1, p_sha256 => repeat('a', 64), p_storage_key => ${String(hers?.['storage_key'])})`
  t.equal(await refusal(ask(db, actorOf(attacker.accountId), attempt)), '23505')
})

test('S15: another’s idempotency key is another’s', async (t) => {
  const { account } = await startApp(t)
  const [first, second] = [await account(randomUUID()), await account(randomUUID())]
  const hers = await first.upload({ bytes: pdf('hers'), key: 'upload-1' })
  const his = await second.upload({ bytes: pdf('his'), key: 'upload-1' })
  t.equal(his.status, 201)
  t.not(his.body['shell_file_id'], hers.body['shell_file_id'])
  t.equal((await first.upload({ bytes: pdf('other'), key: 'upload-1' })).status, 422, 'the same key, other bytes')
})

test('S16: the audit is written by what happens, and by nobody who says so', async (t) => {
  const { url, account, db } = await startApp(t)
  const event = { table_name: 'shell_files', record_id: randomUUID(), operation: 'DELETE' }
  const post = (headers: Record<string, string>) =>
    fetch(`${url}/audit/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(event),
    })
  t.ok([401, 404].includes((await post({})).status))
  const person = await account(randomUUID())
  const forged = sql`select public.log_audit_event('shell_files', ${randomUUID()}, 'DELETE')`
  t.equal(await refusal(ask(db, actorOf(person.accountId), forged)), '42501')
  t.equal(
    await refusal(ask(db, actorOf(person.accountId), sql`insert into audit_log (table_name) values ('x')`)),
    '42501',
  )
})

test('S18: what a file is called and what is noted stays with the file', async (t) => {
  const { account, ownerUrl, db, logLines, store } = await startApp(t)
  const owner = ownerSql(t, ownerUrl)
  const heard: string[] = []
  const channels = await Promise.all(
    ['exora_jobs', 'exora_shell_file_events'].map((channel) => db.listen(channel, (payload) => heard.push(payload))),
  )
  t.teardown(() => Promise.all(channels.map((channel) => channel.stop())))
  const person = await account(randomUUID())
  const form = uploadForm(person.profileId, pdf(telling), { note: telling })
  form.set('file', new Blob([pdf(telling)], { type: 'application/pdf' }), `${telling}.pdf`)
  const answer = await person.upload({ form })
  t.equal(answer.status, 201)
  await person.get(`/documents/${String(answer.body['shell_file_id'])}`)
  const [kept] = await owner`select filename, note, storage_key from shell_files`
  t.match(kept, { note: telling, filename: `${telling}.pdf` })
  const { stream } = await store.open(String(kept?.['storage_key']))
  stream.destroy()
  const tables = [
    'job_queue',
    'audit_log',
    'shell_file_events',
    'usage_events',
    'idempotency_keys',
    'system_notifications',
  ]
  const told = [JSON.stringify(logLines), heard.join(), String(kept?.['storage_key'])]
  for (const table of tables)
    told.push(JSON.stringify(await owner.unsafe(`select to_jsonb(told) from ${table} as told`)))
  for (const text of told)
    for (const word of ['hiv positive', 'citizen', '1961-02-03']) t.notOk(text.toLowerCase().includes(word), word)
})

test('S19: nobody writes the record past its functions', async (t) => {
  const { account, db } = await startApp(t)
  const person = await account(randomUUID())
  const id = String((await person.upload({ bytes: pdf('letter') })).body['shell_file_id'])
  await fillRecord(db, { id, patientId: person.profileId })
  const tables = [
    'patient_clinical_events',
    'patient_medications',
    'patient_conditions',
    'patient_allergies',
    'fact_sources',
  ]
  for (const table of tables) {
    const own = actorOf(person.accountId)
    t.equal(await refusal(ask(db, own, sql.raw(`delete from ${table}`))), '42501', `removes ${table}`)
    t.equal(
      await refusal(ask(db, own, sql.raw(`update ${table} set patient_id = patient_id`))),
      '42501',
      `edits ${table}`,
    )
  }
})

test('S20: nothing of one person reaches another’s record, whoever writes it', async (t) => {
  const { account, db } = await startApp(t)
  const [person, other] = [await account(randomUUID()), await account(randomUUID())]
  const id = String((await person.upload({ bytes: pdf('letter') })).body['shell_file_id'])
  const held = String((await person.upload({ bytes: pdf('whose') })).body['shell_file_id'])
  await fillRecord(db, { id, patientId: person.profileId })
  const moved = [
    sql`update patient_clinical_events set patient_id = ${other.profileId}`,
    sql`update entity_processing_audit_v2 set patient_id = ${other.profileId}`,
    sql`insert into patient_clinical_events (id, patient_id, shell_file_id, event_type, assertion, confidence)
        values (gen_random_uuid(), ${other.profileId}, ${id}, 'condition', 'present', 'high')`,
    sql`update patient_conditions set patient_id = ${other.profileId}`,
  ]
  for (const write of moved) t.ok(['23514', '23503'].includes(await refusal(serve(db, write))))
  await holdForReview(db, held, person.profileId)
  const walkedAround = sql`select public.begin_stage(${held}, 'pass2_code', '1')`
  t.equal(await refusal(serve(db, walkedAround)), '55000', 'what waits for a person is not coded')
  t.equal((await other.get(`/documents/${id}/facts`)).status, 404)
})
