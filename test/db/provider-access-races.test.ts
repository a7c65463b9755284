import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import { recordConsent } from '../../db/queries/consents.ts'
import { ask, ownerSql, refusal } from '../support/actors.ts'
import { castWithRequest } from '../support/cast.ts'
import { accessOf, requestAccess, verifyProvider } from '../support/clinicians.ts'
import { decide, untilSomebodyWaits } from '../support/consents.ts'
import { testDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'
import { keepOpen } from '../support/transactions.ts'

const aboutClinicians = (profileId: string) => ({ profileId, purpose: 'provider_access' }) as const

test('an approval and a withdrawal that meet follow each other, in either order', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, clinician, request, mayRead } = await castWithRequest(db, owner)
  const asGuardian = (work: (tx: Tx) => Promise<void>) => asActor(db, guardian.actor, work)
  const approvalOf = (accessId: string) => sql`select public.approve_provider_access(${accessId}, 'tomorrow')`
  const withdrawal = { ...aboutClinicians(childId), decision: 'withdrawn' } as const

  const approving = await keepOpen(asGuardian, (tx) => tx.execute(approvalOf(request)))
  const withdrawn = decide(db, guardian, 'withdrawn', aboutClinicians(childId))
  await untilSomebodyWaits(owner)
  await approving.commit()
  await withdrawn
  t.equal(await mayRead(), false, 'the withdrawal found what had been approved')

  await requestAccess(db, clinician, childId)
  const again = await accessOf(db, clinician, childId)
  await decide(db, guardian, 'granted', aboutClinicians(childId))
  const withdrawing = await keepOpen(asGuardian, (tx) => recordConsent(tx, withdrawal))
  const approvals = [ask(db, guardian.actor, approvalOf(again)), ask(db, guardian.actor, approvalOf(again))]
  await untilSomebodyWaits(owner)
  await withdrawing.commit()
  const states = await Promise.all(approvals.map((approval) => refusal(approval)))
  t.same(new Set(states), new Set(['55000', 'allowed']), 'a request is decided once')
  t.equal(await mayRead(), true)
  const [latest] = await owner`
    select decision from patient_consents where patient_id = ${childId} order by id desc limit 1`
  t.equal(latest?.['decision'], 'granted', 'who lets somebody in after saying no has changed their mind')
})

test('a suspension that meets an approval waits for it, and ends it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, clinician, mayRead } = await castWithRequest(db, owner)
  const isWaiting = async () => {
    const [row] = await owner`
      select exists (
        select from pg_locks as held join pg_stat_activity as session on session.pid = held.pid
        where not held.granted and session.datname = current_database()) as value`
    if (row?.['value'] !== true) throw new Error('nobody waits')
  }
  const granting = await keepOpen(
    (work) => asActor(db, guardian.actor, work),
    (tx) =>
      tx.execute(
        sql`select public.grant_provider_access(${childId}, ${clinician.providerId}, 'treatment', 'tomorrow')`,
      ),
  )
  const suspending = verifyProvider(db, guardian, clinician.providerId, 'suspended')
  await Promise.race([suspending, eventually(isWaiting)])
  await granting.commit()
  await suspending
  t.equal(await mayRead(), false)
  const live = await owner`select id from patient_provider_access where status = 'approved'`
  t.equal(live.length, 0)
})
