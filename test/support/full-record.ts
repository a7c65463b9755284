import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { asService } from '../../db/actor.ts'
import { savePage } from '../../db/queries/pages.ts'
import { actorOf, ask, askOne, serve, signUp } from './actors.ts'
import type { Account } from './actors.ts'
import type { House } from './house.ts'
import { beginStage, completeStages, fillRecord, finishStage, giveAccess, makeProfile, upload } from './factories.ts'

export type FullRecord = {
  readonly person: Account
  readonly childId: string
  /** Nothing of these may be left anywhere once the account is gone. */
  readonly traces: readonly string[]
  readonly infectedFileId: string
  readonly scannedFileId: string
  /** Whose record the person may write. */
  readonly friend: Account
  /** Who was let into the person's record. */
  readonly delegate: Account
  readonly clinician: Account
}

const told = {
  name: 'Wilhelmina Quist',
  childName: 'Ottilie Quist',
  bornOn: '1957-11-23',
  childBornOn: '2019-02-14',
  filename: 'discharge-quist.pdf',
  note: 'from the drawer of Wilhelmina',
  words: 'zanubrutinib',
  registration: 'MED0009876543',
  address: '203.0.113.77',
}

/** An account with a login of our own and something in every place where anything of a person can be. */
export async function fullRecord(house: House): Promise<FullRecord> {
  const { db, owner } = house
  const email = `wilhelmina.${randomUUID()}@example.test`
  const person = await embeddedAccount(house, email)
  await ask(
    db,
    person.actor,
    sql`update public.user_profiles set full_name = ${told.name}, date_of_birth = ${told.bornOn}
        where id = ${person.profileId}`,
  )
  const childId = await makeProfile(db, person, { displayName: told.childName })
  await ask(
    db,
    person.actor,
    sql`update public.user_profiles set full_name = ${told.childName}, date_of_birth = ${told.childBornOn}
        where id = ${childId}`,
  )

  const scannedFileId = await documentOf(house, person, person.profileId)
  await documentOf(house, person, childId)
  const infectedFileId = await refusedDocumentOf(house, person)
  const [delegate, friend, clinician] = [await signUp(db), await signUp(db), await signUp(db, 'Dr Ada Helper')]
  await giveAccess(db, person, delegate, person.profileId, { level: 'read_write' })
  await giveAccess(db, friend, person, friend.profileId, { level: 'read_write' })
  await upload(db, person, { patientId: friend.profileId, filename: 'of-the-friend.pdf' })
  await letIn(owner, { person, clinician, childId })
  await readyExport(house, person)
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'basic')`)
  await owner`insert into account_roles (account_id, role) values (${person.accountId}, 'operator')`
  await owner`
    insert into patient_consents (patient_id, purpose, decision, decided_by, capacity, policy_version)
    values (${person.profileId}, 'outside_ai', 'denied', ${person.accountId}, 'self', '2026-01')`
  const { name, childName, bornOn, childBornOn, filename, note, words, registration, address } = told
  const traces = [name, childName, bornOn, childBornOn, email, filename, note, words, registration, address]
  return { person, childId, traces, infectedFileId, scannedFileId, friend, delegate, clinician }
}

async function embeddedAccount({ db, owner }: House, email: string): Promise<Account> {
  const accountId = randomUUID()
  await owner`insert into login.users (id, name, email) values (${accountId}, ${told.name}, ${email})`
  await owner`
    insert into login.sessions (user_id, token, expires_at, ip_address)
    values (${accountId}, ${randomUUID()}, now() + interval '1 day', ${told.address})`
  await owner`insert into login.accounts (user_id, account_id, provider_id, password) values (${accountId}, ${accountId}, 'credential', 'x')`
  await owner`
    insert into login.verifications (identifier, value, expires_at) values (${email}, 'x', now() + interval '1 hour')`
  await owner`insert into login.two_factors (user_id, secret, backup_codes) values (${accountId}, 'x', 'x')`
  await owner`insert into login.messages (kind, email) values ('password_reset', ${email})`
  const actor = actorOf(accountId)
  const profileId = String(await askOne(db, actor, sql`select id as value from public.user_profiles`))
  return { accountId, profileId, actor }
}

/** A file with its object, read, found, coded and told, and the answer of its upload kept for replays. */
async function documentOf({ db, store }: House, person: Account, patientId: string): Promise<string> {
  const { key } = await store.put(Readable.from([Buffer.from(`%PDF ${patientId} ${told.words}`)]), { maxBytes: 1_000 })
  const token = randomUUID()
  const idempotencyKey = `upload-${patientId}`
  await ask(db, person.actor, sql`select public.begin_idempotent_request(${patientId}, ${idempotencyKey}, ${token})`)
  const { shell_file_id: id } = await upload(db, person, {
    patientId,
    storageKey: key,
    filename: told.filename,
    note: told.note,
    key: { key: idempotencyKey, token, hash: 'h' },
  })
  await completeStages(db, id, ['security_scan'])
  await fillRecord(db, { id, patientId, words: told.words })
  await asService(db, {}, (tx) =>
    savePage(tx, id, {
      number: 2,
      widthPt: 595,
      heightPt: 842,
      rotation: 0,
      source: 'ocr',
      engine: 'test',
      quality: { grade: 'good', reason: null },
      words: [{ text: told.words, confidence01: 1, box: [0.1, 0.1, 0.2, 0.2], line: 0, block: 0 }],
    }),
  )
  return id
}

async function refusedDocumentOf({ db, store }: House, person: Account): Promise<string> {
  const { key } = await store.put(Readable.from([Buffer.from(`%PDF bad ${told.words}`)]), { maxBytes: 1_000 })
  const { shell_file_id: id } = await upload(db, person, { storageKey: key, filename: told.filename })
  await beginStage(db, id, 'security_scan')
  const error = JSON.stringify({ code: 'file_infected', message: 'The file holds malware.' })
  await serve(db, sql`select public.finish_stage(${id}, 'security_scan', 'failed', ${error}::text::jsonb)`)
  await finishStage(db, id, 'ocr', 'skipped')
  await serve(db, sql`update job_queue set status = 'completed', completed_at = now() where shell_file_id = ${id}`)
  return id
}

/** A clinician who reads with approval, one who broke the glass, and the person herself in the registry. */
async function letIn(
  owner: postgres.Sql,
  who: { readonly person: Account; readonly clinician: Account; readonly childId: string },
): Promise<void> {
  const { person, clinician, childId } = who
  const [provider] = await owner<{ id: string }[]>`
    insert into provider_registry
      (account_id, display_name, profession, registration_authority, registration_number, verification_status)
    values (${clinician.accountId}, 'Dr Ada Helper', 'physician', 'AHPRA', 'MED1', 'verified') returning id`
  for (const patientId of [person.profileId, childId]) {
    await owner`
      insert into patient_provider_access
        (patient_id, provider_id, status, purpose, permission_level, resource_types, decided_by, starts_at, ends_at)
      values (${patientId}, ${provider?.id ?? ''}, 'approved', 'treatment', 'read_only', '{document,clinical}',
        ${person.accountId}, now(), now() + interval '30 days')`
  }
  await owner`
    insert into break_glass_accesses (account_id, patient_id, reason_code, reason, ends_at)
    values (${clinician.accountId}, ${person.profileId}, 'emergency_care', ${`${told.name} came in unconscious`},
      now() + interval '1 hour')`
  await owner`
    insert into provider_registry (account_id, display_name, profession, registration_authority, registration_number)
    values (${person.accountId}, ${told.name}, 'nurse', 'AHPRA', ${told.registration})`
}

async function readyExport({ db, store }: House, person: Account): Promise<void> {
  const id = await askOne(db, person.actor, sql`select public.request_data_export(${person.profileId}) as value`)
  const { key, sizeBytes, sha256 } = await store.put(Readable.from([Buffer.from(`zip ${told.words}`)]), {
    maxBytes: 1_000,
  })
  await serve(db, sql`select public.begin_data_export(${id}::uuid, ${key})`)
  await serve(db, sql`select public.finish_data_export(${id}::uuid, ${key}, ${sizeBytes}, ${sha256}::text)`)
}
