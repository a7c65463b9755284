import type postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import { ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { actors } from './actors.ts'
import type { ActorName } from './actors.ts'
import { callable, callOf, givenArguments } from './calls.ts'
import type { Called } from './calls.ts'
import { matrixCast } from './cast.ts'
import { forAccounts } from './functions.ts'
import { probe } from './probe.ts'

const refusals = new Set(['42501', 'P0002'])
const names = Object.keys(actors) as ActorName[]
const outsiders = names.filter((name) => actors[name].sees.length === 0)
const onlyReading: readonly ActorName[] = [
  'delegate_read_only',
  'clinician_all',
  'clinician_clinical',
  'operator_broken_glass',
]

/** What an actor may do all the same, because the row is theirs: offers may be declined, and what was given be given back. */
const ofTheirOwn: Readonly<Partial<Record<ActorName, readonly string[]>>> = {
  delegate_offered: ['accept_profile_access', 'revoke_profile_access'],
  clinician_clinical: ['revoke_provider_access'],
}
const isTheirs = (actor: ActorName, name: string) => ofTheirOwn[actor]?.includes(name) ?? false

/** Who reads leaves a trace of it, says what was done with what was read, and has it open: that is their own and the log alone. */
const ofReaders = new Set(['report_client_event', 'switch_profile'])

const asksForAccess = ({ name }: Called) => ['level', 'decider'].includes(forAccounts[name]?.guard ?? 'level')

const calling = (calls: readonly Called[], given: Readonly<Record<string, string>>) =>
  calls.map((called) => ({
    name: called.name,
    statement: `select answer::text from ${callOf(called, given)} as answer`,
  }))

test('whoever has, had or will have something to do with a child does nothing for it now', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const calls = (await callable(owner)).filter(asksForAccess)
  const probes = calling(calls, await givenArguments(owner, cast))
  t.ok(probes.length > 20)
  for (const actor of outsiders) {
    const answers = await asActor(db, cast.accounts[actor].actor, (tx) => probe(tx, probes))
    const letIn = calls.filter(({ name }) => !refusals.has(answers[name]?.state ?? '') && !isTheirs(actor, name))
    t.same(
      letIn.map(({ name }) => `${name}: ${answers[name]?.state}`),
      [],
      actor,
    )
  }
})

test('whoever may only read changes nothing by any function', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const changing = await volatileNames(owner)
  const calls = (await callable(owner)).filter(
    (called) => asksForAccess(called) && changing.has(called.name) && !ofReaders.has(called.name),
  )
  const probes = calling(calls, await givenArguments(owner, cast))
  t.ok(probes.length > 15)
  for (const actor of onlyReading) {
    const answers = await asActor(db, cast.accounts[actor].actor, (tx) => probe(tx, probes))
    t.same(
      calls
        .filter(({ name }) => !refusals.has(answers[name]?.state ?? '') && !isTheirs(actor, name))
        .map(({ name }) => name),
      [],
      actor,
    )
  }
})

test('what exists and is not theirs answers like what does not exist', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const given = await givenArguments(owner, cast)
  const isId = (value: string) => /^'[0-9a-f-]{36}'::uuid$/.test(value)
  const ofNobody = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, isId(value) ? 'gen_random_uuid()' : value]),
  )
  const calls = (await callable(owner)).filter((called) => callOf(called, given) !== callOf(called, ofNobody))
  t.ok(calls.length > 25)
  for (const actor of outsiders) {
    const ask = (values: Readonly<Record<string, string>>) =>
      asActor(db, cast.accounts[actor].actor, (tx) => probe(tx, calling(calls, values)))
    const [known, unknown] = [await ask(given), await ask(ofNobody)]
    // Operators act on anybody's jobs, plans and entries. Whoever breaks the glass tells the patient so.
    const mayTell = ({ name }: Called) =>
      isTheirs(actor, name) || (forAccounts[name]?.guard === 'operator' && /^(operator|clinician)/.test(actor))
    const differing = calls.filter(
      (called) => !mayTell(called) && JSON.stringify(known[called.name]) !== JSON.stringify(unknown[called.name]),
    )
    t.same(
      differing.map(({ name }) => [name, known[name], unknown[name]]),
      [],
      actor,
    )
  }
})

async function volatileNames(owner: postgres.Sql): Promise<ReadonlySet<string>> {
  const rows = await owner<{ name: string }[]>`
    select proname as name from pg_proc where pronamespace = 'public'::regnamespace and provolatile = 'v'`
  return new Set(rows.map(({ name }) => name))
}
