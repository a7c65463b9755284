import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import { listDecisions } from '../../db/queries/fact-decisions.ts'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { admitClinician, clinicianOf } from '../support/clinicians.ts'
import { giveAccess } from '../support/factories.ts'
import { decide, edit, glucose, listOf, runPasses, undo } from '../support/fact-decisions.ts'
import { makeFile } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

const changed = 'EX412'

test('of two who decide at once one is first, and the other is told', async (t) => {
  const { db } = await testDatabase(t)
  const [person, carer] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, carer, person.profileId, { level: 'read_write' })
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  const [seen] = await listOf(db, person, file)
  const id = seen?.id ?? ''
  const outcomes = await Promise.all([
    refusal(decide(db, person, id, { decision: 'accepted' }, seen?.version)),
    refusal(decide(db, carer, id, { decision: 'rejected', reason: 'other' }, seen?.version)),
  ])
  t.same(outcomes.toSorted(), [changed, 'allowed'].toSorted())
  const standing = await asActor(db, person.actor, (tx) => listDecisions(tx, file.shellFileId))
  t.equal(standing.length, 1)

  const first = standing[0]?.decidedBy === person.accountId ? person : carer
  const second = first === person ? carer : person
  t.equal(await refusal(edit(db, second, id, { value: '6' })), changed, 'nor without a version')
})

test('who may only read decides nothing, a clinician takes nothing away', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const [person, reader, stranger] = [await signUp(db), await signUp(db), await signUp(db)]
  await giveAccess(db, person, reader, person.profileId, { level: 'read_only' })
  const operator = await signUp(db)
  await ownerSql(t, ownerUrl)`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  const doctor = await clinicianOf(db, operator)
  await admitClinician(db, doctor, person, person.profileId, { level: 'read_write' })
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  const [seen] = await listOf(db, person, file)
  const id = seen?.id ?? ''
  for (const outsider of [reader, stranger])
    t.equal(await refusal(decide(db, outsider, id, { decision: 'accepted' })), 'P0002')
  t.equal(await refusal(decide(db, doctor, id, { decision: 'rejected', reason: 'other' })), '42501')
  const accepted = await decide(db, person, id, { decision: 'accepted' })
  t.equal(await refusal(undo(db, doctor, file, accepted)), '42501', 'what another decided')
  await undo(db, person, file, accepted)
  const own = await decide(db, doctor, id, { decision: 'accepted' })
  t.equal(await refusal(undo(db, doctor, file, own)), 'allowed')
  t.equal(await refusal(undo(db, stranger, file, own)), 'P0002')
})

test('an act is audited with who, when and why, and without a clinical word', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [glucose('5.1', '2021-03-04')])
  const [seen] = await listOf(db, person, file)
  await edit(db, person, seen?.id ?? '', { value: '9.9999' })
  const decision = await decide(db, person, seen?.id ?? '', { decision: 'rejected', reason: 'duplicate' })
  await undo(db, person, file, decision)
  const rows = await ask<{ operation: string; new_values: Record<string, unknown>; changed_by: string }>(
    db,
    person.actor,
    sql`select operation, new_values, changed_by from audit_log where table_name = 'fact_review_decisions' order by changed_at, id`,
  )
  t.match(
    rows.map(({ operation, new_values: told, changed_by: by }) => ({ operation, told, by })),
    [
      { operation: 'INSERT', told: { decision: 'edited', decided_by: person.accountId }, by: person.accountId },
      { operation: 'INSERT', told: { decision: 'rejected', reason_code: 'duplicate' } },
      { operation: 'UPDATE', told: { undone_by: person.accountId } },
    ],
  )
  const [told] = await serve<{ all: string }>(
    db,
    sql`select string_agg(to_jsonb(audit_log)::text, ' ') as all from audit_log`,
  )
  t.notMatch(told?.all, /9\.9999|Glucose/)
})
