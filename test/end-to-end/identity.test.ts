import t from 'tap'
import type { Test } from 'tap'
import type postgres from 'postgres'
import type { Person } from '../support/person.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import { misplacedSources } from './placed.ts'

const letter = sample('discharge-summary-two-pages.pdf')

t.setTimeout(280_000)

void t.test("somebody else's document", async (group) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(group)
  const [server] = await Promise.all([startServer(), startWorker()])
  const parker = await introduce(server, { name: 'Parker Casper', bornOn: '1952-07-31' })
  const parkersId = await parker.give(letter)
  await parker.follow(parkersId)
  const parkersRecord = await recordOf(sql, parker)
  group.ok(Object.values(parkersRecord).filter((rows) => rows > 0).length > 5, 'there is a record to compare with')

  const hold = async (test: Test) => {
    const robin = await introduce(server, { name: 'Robin Marsh', bornOn: '1961-02-03' })
    const id = await robin.give(letter)
    const told = await robin.follow(id)
    test.equal(told.at(-1)?.file_status, 'needs_review')
    return { robin, id, lastEvent: told.at(-1)?.id ?? 0 }
  }

  await group.test('is held, with all its facts and their places, and nothing of it in the record', async (test) => {
    const { robin, id } = await hold(test)
    test.hasStrict(await robin.document(id), {
      status: 'needs_review',
      review_state: 'pending',
      processing_error: null,
    })
    test.match((await robin.document(id)).identity_review, {
      status: 'pending',
      reasons: ['name_differs', 'date_of_birth_differs'],
    })
    const facts = await robin.facts(id)
    test.ok(facts.every((fact) => fact.held && fact.reason !== null && fact.reason.length > 10))
    test.ok(facts.length >= (await parker.facts(parkersId)).length, 'none is missing')
    test.same(await misplacedSources(robin, id), [])
    await refuseShortcuts(test, robin, id)
    test.same(await recordOf(sql, robin), empty(parkersRecord))
  })

  await group.test('is taken into the record once a person says that it is theirs', async (test) => {
    const { robin, id, lastEvent } = await hold(test)
    const answers = await Promise.all([1, 2].map(() => robin.post(reviewOf(id), { decision: 'accepted' })))
    test.ok(answers.some(({ status }) => status === 200))
    test.equal((await robin.follow(id, lastEvent)).at(-1)?.file_status, 'completed')
    test.hasStrict(await robin.document(id), { status: 'completed', review_state: 'accepted' })
    test.same(
      (await robin.facts(id)).filter((fact) => fact.held),
      [],
    )
    test.same(await recordOf(sql, robin), parkersRecord)
    test.match(await robin.post(reviewOf(id), { decision: 'rejected' }), { status: 409 })
  })

  await group.test('never comes into the record when a person says that it is not theirs', async (test) => {
    const { robin, id, lastEvent } = await hold(test)
    test.equal((await robin.post(reviewOf(id), { decision: 'rejected' })).status, 200)
    test.hasStrict(await robin.document(id), { review_state: 'rejected' })
    const facts = await robin.facts(id)
    test.ok(facts.length > 0 && facts.every((fact) => !fact.held && fact.review === 'rejected'))
    test.ok(facts.every((fact) => fact.reason?.startsWith('A person decided') === true))
    test.match(await robin.post(reviewOf(id), { decision: 'accepted' }), { status: 409 })
    await refuseShortcuts(test, robin, id)
    test.same(await recordOf(sql, robin), empty(parkersRecord))
    const [jobs] =
      await sql`select count(*)::int as n from job_queue where shell_file_id = ${id} and job_type in ('pass2_code', 'pass3_narrate')`
    test.equal(jobs?.['n'], 0)

    const again = await robin.post('/api/process-document', { shell_file_id: id, stages: ['pass1_find'] })
    if (again.status === 202) await robin.follow(id, lastEvent)
    test.match(again.status, 202)
    test.same(await recordOf(sql, robin), empty(parkersRecord), 'not even when it is read again')
  })

  await group.test('with the right date of birth and another first name is held as well', async (test) => {
    const sibling = await introduce(server, { name: 'Dana Casper', bornOn: '1952-07-31' })
    const id = await sibling.give(letter)
    test.equal((await sibling.follow(id)).at(-1)?.file_status, 'needs_review')
    test.same(await recordOf(sql, sibling), empty(parkersRecord))
  })
})

const reviewOf = (id: string) => `/documents/${id}/identity-review`

/** Nobody walks around the gate by asking for the later stages. */
async function refuseShortcuts(test: Test, person: Person, id: string): Promise<void> {
  for (const stages of [['pass2_code'], ['pass3_narrate'], ['pass3_narrate', 'pass2_code']])
    test.equal((await person.post('/api/process-document', { shell_file_id: id, stages })).status, 409, stages.join())
}

const tables = [
  'patient_clinical_events',
  'patient_observations',
  'patient_medications',
  'patient_conditions',
  'patient_allergies',
  'patient_immunizations',
  'patient_interventions',
  'family_history',
  'social_history',
  'healthcare_encounters',
  'clinical_narratives',
] as const
type Record = { readonly [table in (typeof tables)[number]]?: number }

async function recordOf(sql: postgres.Sql, { profileId }: Person): Promise<Record> {
  const counts = tables.map(async (table) => {
    const [row] = await sql`select count(*)::int as n from ${sql(table)} where patient_id = ${profileId}`
    return [table, Number(row?.['n'])]
  })
  return Object.fromEntries(await Promise.all(counts))
}

const empty = (record: Record): Record => Object.fromEntries(Object.keys(record).map((table) => [table, 0]))
