import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import { ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { ActorName } from './actors.ts'
import { callable, callOf, givenArguments } from './calls.ts'
import { matrixCast } from './cast.ts'
import { forAccounts, forServices } from './functions.ts'
import { probe } from './probe.ts'

test('every function is executable by exactly those who are listed', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const executableBy = async (role: string) => {
    const rows = await owner<{ name: string }[]>`
      select distinct proname as name from pg_proc
      where pronamespace = 'public'::regnamespace and has_function_privilege(${role}, oid, 'execute')`
    return rows.map(({ name }) => name).toSorted()
  }
  const shared = Object.keys(forAccounts).filter((name) => forAccounts[name]?.services === 'too')
  t.same(await executableBy('anon'), [], 'nothing for who has no token')
  t.same(await executableBy('authenticated'), Object.keys(forAccounts).toSorted())
  t.same(await executableBy('service_role'), [...shared, ...forServices].toSorted())
  t.same(await executableBy('exora_app'), ['uuid_v7'], 'the bare login needs ids for new sign-ups')
})

const refusals = new Set(['42501', 'P0002'])

test('who knows every id gets nothing done with somebody else’s, and the same calls are good for others', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const given = await givenArguments(owner, cast)
  const calls = (await callable(owner)).map((called) => ({
    name: called.name,
    statement: `select 'called' from ${callOf(called, given)}`,
  }))
  const as = (name: ActorName, probes = calls) => asActor(db, cast.accounts[name].actor, (tx) => probe(tx, probes))
  const strangers = await as('stranger')
  const others = new Map<ActorName, Awaited<ReturnType<typeof as>>>()
  for (const { name } of calls) {
    const { guard, allowed } = forAccounts[name] ?? { guard: 'level' }
    const state = strangers[name]?.state ?? ''
    if (['level', 'decider', 'operator', 'clinician'].includes(guard) || allowed !== undefined) {
      t.ok(refusals.has(state), `${name} refuses a stranger (${state})`)
      const control = allowed ?? 'guardian'
      const answers = others.get(control) ?? (await as(control))
      others.set(control, answers)
      const past = answers[name]?.state ?? ''
      t.notOk(refusals.has(past), `${name} lets ${control} past (${past})`)
    }
  }

  for (const { name } of calls.filter((call) => forAccounts[call.name]?.guard === 'decider')) {
    for (const outsider of ['delegate_owner', 'delegate_full_access', 'clinician_writing', 'operator'] as const) {
      const answers = others.get(outsider) ?? (await as(outsider))
      others.set(outsider, answers)
      t.ok(refusals.has(answers[name]?.state ?? ''), `${name} is not for ${outsider}`)
    }
  }
})

test('questions about others are answered with no, and what is one’s own is one’s own alone', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const given = await givenArguments(owner, cast)
  const questions = (await callable(owner)).filter(({ name }) =>
    ['answers about oneself', 'own'].includes(forAccounts[name]?.guard ?? ''),
  )
  const before = await footprint(owner, cast.childId)
  const { stranger } = cast.accounts
  const answers = await asActor(db, stranger.actor, (tx) =>
    probe(
      tx,
      questions.map((called) => ({
        name: called.name,
        statement: `select to_jsonb(answer)::text from ${callOf(called, given)} as answer`,
      })),
    ),
  )
  for (const { name } of questions) {
    const { state, rows } = answers[name] ?? { state: 'not tried' }
    if (refusals.has(state) || (state === '42846' && rows === undefined)) continue
    const told = (rows ?? []).join()
    const ids = [cast.childId, cast.accounts.guardian.accountId]
    t.notOk(
      ids.some((id) => told.includes(id)),
      `${name} names nobody else`,
    )
    t.notMatch(told, /true/, `${name} says no`)
  }
  t.same(await footprint(owner, cast.childId), before)
})

/** All that could have changed about a child. */
async function footprint(owner: postgres.Sql, childId: string): Promise<unknown> {
  const rows = await owner`
    select
      (select count(*)::int from audit_log where patient_id = ${childId}) as audited,
      (select jsonb_agg(permission order by permission.id) from profile_access_permissions as permission where profile_id = ${childId}) as permissions,
      (select jsonb_agg(access order by access.id) from patient_provider_access as access where patient_id = ${childId}) as clinicians`
  return [...rows]
}

test('an account is no patient, to any function', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const { guardian } = cast.accounts
  const account = `'${guardian.accountId}'::uuid`
  const given = { ...(await givenArguments(owner, cast)), p_profile_id: account, p_patient_id: account }
  const aboutPatients = (await callable(owner)).filter(
    ({ name, names }) =>
      names.some((argument) => argument === 'p_profile_id' || argument === 'p_patient_id') &&
      ['level', 'decider'].includes(forAccounts[name]?.guard ?? ''),
  )
  t.ok(aboutPatients.length > 8)
  const answers = await asActor(db, guardian.actor, (tx) =>
    probe(
      tx,
      aboutPatients.map((called) => ({
        name: called.name,
        statement: `select 'called' from ${callOf(called, given)}`,
      })),
    ),
  )
  for (const { name } of aboutPatients) t.ok(refusals.has(answers[name]?.state ?? ''), name)
  const own = await asActor(db, guardian.actor, (tx) =>
    tx.execute(sql`select public.has_profile_access(${guardian.accountId}, ${guardian.accountId}) as value`),
  )
  t.equal(own[0]?.['value'], false)
})
