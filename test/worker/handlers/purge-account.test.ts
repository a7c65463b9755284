import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../../db/actor.ts'
import { purgePeople } from '../../../db/queries/closures.ts'
import { createPrivacySchedules } from '../../../worker/privacy-schedules.ts'
import { ask, askOne, refusal, serve, signUp } from '../../support/actors.ts'
import { verifyChains } from '../../support/audit-chains.ts'
import { fillRecord, upload } from '../../support/factories.ts'
import { fullRecord } from '../../support/full-record.ts'
import type { FullRecord } from '../../support/full-record.ts'
import { openHouse } from '../../support/house.ts'
import type { House } from '../../support/house.ts'
import { dueClosure, placesOf, purge, requestClosure, rowsNaming, stepsOf } from '../../support/purge.ts'
import { eventually } from '../../support/signals.ts'
import { stageRunner } from '../../support/stage-runner.ts'

/** But for the file that the person had uploaded for a friend, which does not say so any more. */
async function othersIn({ owner }: House, { person, childId, friend, delegate, clinician }: FullRecord) {
  const { shell_files: _uploaded, ...rows } = await rowsNaming(owner, {
    these: [friend, delegate, clinician].flatMap(({ accountId, profileId }) => [accountId, profileId]),
    notThese: [person.accountId, person.profileId, childId],
  })
  return rows
}

test('an account with a full record is erased, and nothing of it can be found anywhere', async (t) => {
  const house = await openHouse(t)
  const { owner, store } = house
  const record = await fullRecord(house)
  t.ok((await placesOf(owner, record.traces)).length > 20, 'the record is full')
  const others = await othersIn(house, record)
  t.ok(Object.keys(others).length > 5)
  const [friendsFile] = await owner`select id from shell_files where patient_id = ${record.friend.profileId}`

  const steps = await purge(house, await dueClosure(house, record.person))

  t.same([...new Set(steps)], ['begun', 'object deleted', 'rows erased', 'people erased', 'account erased'])
  t.same(await placesOf(owner, record.traces), [])
  t.same(await Array.fromAsync(store.list()), [], 'no object is left in the store')
  t.same(await othersIn(house, record), others, 'nobody else has lost or gained a thing')
  t.match(await owner`select id, uploaded_by from shell_files`, [{ id: friendsFile?.['id'], uploaded_by: null }])
  t.match(await owner`select display_name, account_id from provider_registry where display_name <> 'Erased'`, [
    { display_name: 'Dr Ada Helper', account_id: record.clinician.accountId },
  ])
})

test('what stays of an erased account is evidence, by ids alone', async (t) => {
  const house = await openHouse(t)
  const { owner } = house
  const { person, childId } = await fullRecord(house)
  const told = await owner<{ id: string }[]>`select id from audit_log`
  const closureId = await dueClosure(house, person)
  await purge(house, closureId)

  const [closure] = await owner`select status, purged_at, evidence from account_closures where id = ${closureId}`
  t.match(closure, {
    status: 'purged',
    purged_at: Date,
    evidence: {
      account: 'deleted',
      profiles_handed_over: 0,
      objects_found: 4,
      rows_found: { shell_files: 3, patient_clinical_events: 4, entity_processing_audit_v2: 2, shell_file_pages: 4 },
    },
  })
  const evidence: { profiles: string[]; rows_left: Record<string, number> } = closure?.['evidence']
  t.same(evidence.profiles.toSorted(), [person.profileId, childId].toSorted())
  t.same(Object.keys(evidence.rows_left).toSorted(), [
    'break_glass_accesses',
    'data_exports',
    'patient_consents',
    'patient_provider_access',
    'usage_events',
    'user_usage_tracking',
  ])
  t.same(
    [
      ...(await owner`select display_name, account_owner_id, erased_at is not null as erased
      from user_profiles where id = any (${evidence.profiles})`),
    ],
    Array.from({ length: 2 }, () => ({ display_name: 'Erased', account_owner_id: null, erased: true })),
  )
  const stands = await owner`select from audit_log where id = any (${told.map(({ id }) => id)})`
  t.equal(stands.length, told.length, 'the log stands')
  await owner`select seal_audit_log()`
  t.match(
    [...(await verifyChains(owner))].map((chain) => chain.first_broken),
    [null],
  )
})

test('a purge that dies after any step goes on where it ended', async (t) => {
  const house = await openHouse(t)
  const { owner, store } = house
  const record = await fullRecord(house)
  const closureId = await dueClosure(house, record.person)
  const diedAfter = new Set<string>()
  for (let many = 1; ; many += 1) {
    const steps = stepsOf(house, closureId)
    let last = await steps.next()
    for (let count = 1; count < many && last.done !== true; count += 1) last = await steps.next()
    if (last.done === true) break
    diedAfter.add(last.value)
    t.ok(many < 100, 'it comes to an end')
  }
  t.ok(diedAfter.has('begun') && diedAfter.has('object deleted') && diedAfter.has('rows erased'))
  t.same(await placesOf(owner, record.traces), [])
  t.same(await Array.fromAsync(store.list()), [])
  t.match(await owner`select evidence -> 'objects_found' as objects from account_closures where status = 'purged'`, [
    { objects: 4 },
  ])
})

test('a purge that dies between the people and the account ends with the account', async (t) => {
  const house = await openHouse(t)
  const { owner } = house
  const person = await signUp(house.db, 'Somebody who leaves')
  const closureId = await dueClosure(house, person)
  for await (const step of stepsOf(house, closureId)) if (step === 'people erased') break
  t.equal((await owner`select from auth.users where id = ${person.accountId}`).length, 1)

  t.same(await purge(house, closureId), ['begun', 'people erased', 'account erased'])
  t.equal((await owner`select from auth.users where id = ${person.accountId}`).length, 0)
  t.same(await purge(house, closureId), [], 'and is not done again')
})

test('nothing is erased before its time, after it was called off, or without a closure', async (t) => {
  const house = await openHouse(t)
  const { db } = house
  const person = await signUp(db)
  const closureId = await requestClosure(house, person)
  t.same(await purge(house, closureId), [], 'the waiting period runs')
  t.equal(await refusal(serve(db, sql`select public.purge_people(${closureId})`)), '55000')
  t.equal(await refusal(serve(db, sql`select public.finish_account_purge(${closureId})`)), '55000')
  t.equal(await refusal(serve(db, sql`select public.purge_shell_file(${closureId}, ${closureId})`)), '55000')

  await ask(db, person.actor, sql`select public.cancel_account_closure()`)
  await house.owner`update account_closures set due_at = now() - interval '1 second'`
  t.same(await purge(house, closureId), [], 'it was called off')
  t.equal(await askOne(db, person.actor, sql`select count(*)::int as value from user_profiles`), 1)
})

test('a purge touches no file of anybody else, whatever id it is given', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const [person, other] = [await signUp(db), await signUp(db)]
  const { shell_file_id: id } = await upload(db, other)
  const closureId = await dueClosure(house, person)
  await serve(db, sql`select public.begin_account_purge(${closureId})`)
  await serve(db, sql`select public.purge_shell_file(${closureId}, ${id})`)
  t.equal((await owner`select from shell_files where id = ${id}`).length, 1)
})

test('a document that comes in the middle of a purge goes with the others', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const person = await signUp(db)
  const closureId = await dueClosure(house, person)
  const steps = stepsOf(house, closureId)
  await steps.next()

  let upToCommit = Promise.resolve(true)
  await asActor(db, person.actor, async (tx) => {
    await tx.execute(sql`
      select public.register_shell_file(gen_random_uuid(), ${person.profileId}, 'late.pdf', 'application/pdf', 10,
        ${'0'.repeat(64)}, 'late')`)
    upToCommit = asService(db, {}, (service) => purgePeople(service, closureId))
    await someoneWaits(house)
  })
  t.equal(await upToCommit, false, 'it waited for the upload and saw its file')

  t.same(await Array.fromAsync(steps), ['object deleted', 'rows erased', 'people erased', 'account erased'])
  t.equal((await owner`select from shell_files`).length, 0)
})

test('nothing is added to a person who has been erased, even by whoever had asked before', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const person = await signUp(db)
  const closureId = await dueClosure(house, person)
  t.equal(await refusal(upload(db, person)), 'allowed')
  await purge(house, closureId)
  t.equal(await refusal(upload(db, person)), '42501')
  const insert = owner`
    insert into shell_files (patient_id, filename, mime_type, size_bytes, sha256, storage_key)
    values (${person.profileId}, 'late.pdf', 'application/pdf', 10, ${'0'.repeat(64)}, 'late')`
  t.equal(await refusal(insert), '42501')
})

test('due accounts become one job each, which erases them', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const runner = await stageRunner(t, db, { store: house.store })
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await fillRecord(db, { id, patientId: person.profileId })
  await dueClosure(house, person)
  await requestClosure(house, await signUp(db))

  const schedules = createPrivacySchedules(house.store)
  const schedule = schedules.find(({ name }) => name === 'purge_due_accounts')
  const run = { inService: asServiceOf(house), signal: new AbortController().signal }
  await schedule?.run(run)
  await schedule?.run(run)

  t.same(await runner.runAll(), ['purge_account'])
  t.match(await owner`select status from account_closures order by due_at`, [
    { status: 'purged' },
    { status: 'requested' },
  ])
})

const asServiceOf =
  ({ db }: House) =>
  <T>(work: Parameters<typeof asService<T>>[2]) =>
    asService(db, {}, work)

/** Until some session waits for a lock that another holds: PostgreSQL has no other sign of it. */
const someoneWaits = ({ owner }: House) =>
  eventually(async () => {
    const waiting = await owner`select from pg_locks where not granted`
    if (waiting.length === 0) throw new Error('nobody waits for a lock')
  })
