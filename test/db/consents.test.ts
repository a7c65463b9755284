import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { holdConsent, listConsents, recordConsent } from '../../db/queries/consents.ts'
import type { ConsentDecision } from '../../db/queries/consents.ts'
import type { ConsentPurpose } from '../../db/schema/consents.ts'
import { actorOf, anonymous, ask, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { decide, grantThatRanOut, makeClinician, makeGuardian } from '../support/consents.ts'
import { fillRecord, makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const holds = (db: Database, person: Account, purpose: ConsentPurpose) =>
  asService(db, {}, (tx) => holdConsent(tx, { patientId: person.profileId, purpose }))

const standing = async (db: Database, by: Account, purpose: ConsentPurpose, profileId = by.profileId) =>
  (await asActor(db, by.actor, (tx) => listConsents(tx, profileId))).find((consent) => consent.purpose === purpose)

test('the person or a guardian decides, and nobody else in their name', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian: parent, childId, delegates, stranger } = await castOf(db, owner)
  const [second, former, clinician] = [await signUp(db), await signUp(db), await signUp(db)]
  await makeGuardian(owner, second, childId)
  await makeGuardian(owner, former, childId, 'ended')
  await makeClinician(owner, clinician, childId)
  const forChild = { profileId: childId }

  await decide(db, parent, 'denied')
  t.match(await standing(db, parent, 'data_processing'), { decidedBy: parent.accountId, capacity: 'self' })
  for (const decider of [parent, second]) {
    const decision = decider === parent ? 'denied' : 'granted'
    await decide(db, decider, decision, forChild)
    const told = { decision, decidedBy: decider.accountId, capacity: 'guardian' }
    t.match(await standing(db, parent, 'data_processing', childId), told)
  }

  await owner`insert into account_roles (account_id, role) values (${stranger.accountId}, 'operator')`
  for (const other of [former, clinician, stranger, ...Object.values(delegates)])
    t.equal(await refusal(decide(db, other, 'granted', forChild)), '42501')
  t.equal(await refusal(decide(db, parent, 'granted', { profileId: stranger.profileId })), '42501')
  t.equal(await refusal(decide(db, parent, 'granted', { profileId: randomUUID() })), '42501', 'nobody at all')
  const asNobody = sql`select public.record_consent(${childId}, 'outside_ai', 'granted')`
  t.equal(await refusal(ask(db, anonymous, asNobody)), '42501')
  t.equal(await refusal(asService(db, { initiatedBy: parent.accountId }, (tx) => tx.execute(asNobody))), '42501')
  const direct = sql`insert into patient_consents (patient_id, purpose, decision, decided_by, capacity)
    values (${childId}, 'outside_ai', 'granted', ${parent.accountId}, 'guardian')`
  t.equal(await refusal(ask(db, parent.actor, direct)), '42501')
  t.equal(await refusal(asService(db, {}, (tx) => tx.execute(direct))), '42501')
  t.equal((await owner`select 1 from patient_consents`).length, 3)
})

test('the last decision holds, and every one of them stays written', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const aboutModel = { purpose: 'outside_ai', policyVersion: '2026-05.1' } as const
  t.equal(await holds(db, person, 'outside_ai'), true, 'as the purpose says while nobody has decided')
  t.equal(await holds(db, person, 'provider_access'), false)

  const ids: number[] = []
  for (const [decision, expected] of [
    ['withdrawn', false],
    ['granted', true],
    ['denied', false],
  ] as const) {
    ids.push(await decide(db, person, decision, aboutModel))
    t.equal(await holds(db, person, 'outside_ai'), expected, decision)
    t.match(await standing(db, person, 'outside_ai'), { decision, holds: expected, policyVersion: '2026-05.1' })
  }
  t.same(
    ids,
    ids.toSorted((a, b) => a - b),
    'numbered in the order in which they were made',
  )
  t.equal(await decide(db, person, 'withdrawn', aboutModel), ids.at(-1), 'saying no twice is saying it once')
  await decide(db, person, 'withdrawn', { purpose: 'provider_access' })
  t.match(await standing(db, person, 'provider_access'), { decision: 'denied' }, 'never given, so not taken back')

  t.equal((await owner`select 1 from patient_consents`).length, 4)
  for (const change of [
    owner`update patient_consents set decision = 'granted'`,
    owner`delete from patient_consents`,
    owner`truncate patient_consents`,
  ])
    t.equal(await refusal(change), '42501', 'not even the owner of the database changes one')
})

test('a consent for a time holds for that time', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const expiresAt = new Date(Date.now() + 3_600_000)
  await decide(db, person, 'granted', { purpose: 'provider_access', expiresAt })
  t.match(await standing(db, person, 'provider_access'), { holds: true, expiresAt })
  for (const purpose of ['provider_access', 'outside_ocr'] as const) {
    await grantThatRanOut(owner, person, purpose)
    t.equal(await holds(db, person, purpose), false, purpose)
    t.match(await standing(db, person, purpose), { holds: false, decision: 'granted' })
  }
})

test('a decision that can never be right is refused', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const record = (purpose: string | null, decision: string | null, expiresAt: string | null = null, version = '1') =>
    refusal(
      ask(
        db,
        person.actor,
        sql`select public.record_consent(${person.profileId}, ${purpose}, ${decision}, ${expiresAt}::timestamptz, ${version})`,
      ),
    )
  t.equal(await record('world_domination', 'granted'), '22023')
  t.equal(await record(null, 'granted'), '22023')
  t.equal(await record('outside_ai', 'perhaps'), '22023')
  t.equal(await record('outside_ai', null), '22023')
  t.equal(await record('outside_ai', 'granted', 'yesterday'), '22023')
  t.equal(await record('outside_ai', 'withdrawn', 'tomorrow'), '22023')
  t.equal(await record('outside_ai', 'granted', null, 'I am Zebedee Quill'), '22023', 'no text in the evidence')
  t.equal(await record('outside_ai', 'granted', 'tomorrow'), 'allowed')
})

test('who manages access sees what was decided, and others do not', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { guardian, childId, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  await decide(db, guardian, 'withdrawn', { profileId: childId, purpose: 'outside_ocr' })
  for (const reader of [guardian, delegates.full_access, delegates.owner]) {
    const seen = await asActor(db, reader.actor, (tx) => listConsents(tx, childId))
    t.same(
      seen.map(({ purpose, holds: isHeld, decision }) => [purpose, isHeld, decision]),
      [
        ['data_processing', true, null],
        ['outside_ai', true, null],
        ['outside_ocr', false, 'withdrawn'],
        ['provider_access', false, null],
      ],
    )
  }
  for (const other of [delegates.read_only, delegates.read_write, delegates.expired, delegates.revoked, stranger])
    t.equal(await refusal(asActor(db, other.actor, (tx) => listConsents(tx, childId))), '42501')
})

test('clinicians are out the moment that access by clinicians is withdrawn, and the person never is', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, clinician] = [await signUp(db), await signUp(db)]
  const { shell_file_id: id } = await upload(db, person)
  await fillRecord(db, { id, patientId: person.profileId })
  await makeClinician(owner, clinician, person.profileId)
  const sees = async (by: Account) => {
    const rows = await ask<{ n: number }>(db, by.actor, sql`select count(*)::int as n from patient_clinical_events`)
    const [access] = await ask<{ may: boolean }>(
      db,
      by.actor,
      sql`select public.has_semantic_data_access(${by.accountId}, ${person.profileId}, 'clinical') as may`,
    )
    t.equal(access?.may, rows[0]?.n !== 0, 'both ways of asking agree')
    return access?.may
  }
  t.equal(await sees(clinician), false, 'not before the person said yes to clinicians at all')
  await decide(db, person, 'granted', { purpose: 'provider_access' })
  t.equal(await sees(clinician), false, 'and a yes in general opens nothing from before it')
  await owner`update patient_provider_access set status = 'approved'`
  t.equal(await sees(clinician), true)
  await decide(db, person, 'withdrawn', { purpose: 'provider_access' })
  t.equal(await sees(clinician), false)

  for (const purpose of ['data_processing', 'outside_ai', 'outside_ocr'] as const)
    await decide(db, person, 'withdrawn', { purpose })
  t.equal(await sees(person), true, 'one reads what is one’s own')
})

test('two guardians who decide at the same moment leave one order of decisions', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [parent, other] = [await signUp(db), await signUp(db)]
  const childId = await makeProfile(db, parent)
  await makeGuardian(owner, other, childId)
  const decisions: ConsentDecision['decision'][] = ['granted', 'withdrawn']
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => {
      const by = n % 3 === 0 ? parent : other
      const told = { profileId: childId, purpose: 'outside_ai', decision: decisions[n % 2] ?? 'granted' } as const
      return asActor(db, actorOf(by.accountId), (tx) => recordConsent(tx, told))
    }),
  )
  const rows = await owner<{ decision: string; decided_at: Date }[]>`
    select decision, decided_at from patient_consents order by id`
  t.same(
    rows,
    [...rows].toSorted((a, b) => a.decided_at.getTime() - b.decided_at.getTime()),
    'in the order of time',
  )
  const noes = rows.map(({ decision }) => decision).join(' ')
  t.notMatch(noes, /withdrawn withdrawn/, 'no no follows a no')
  t.equal((await standing(db, parent, 'outside_ai', childId))?.holds, rows.at(-1)?.decision === 'granted')
})
