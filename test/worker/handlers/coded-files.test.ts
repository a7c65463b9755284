import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import { listFacts } from '../../../db/queries/facts.ts'
import { askOne, signUp, type Account } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import type { Database } from '../../../db/client.ts'

const folder = await mkdtemp(join(tmpdir(), 'exora-coded-'))
const fhirType = 'application/fhir+json'
const person = (id: string, family: string, given: string, birthDate: string) => ({
  resource: { resourceType: 'Patient', id, name: [{ family, given: [given] }], birthDate },
})
const condition = (subject: string, code: string, display: string) => ({
  resource: {
    resourceType: 'Condition',
    subject: { reference: `Patient/${subject}` },
    code: { coding: [{ system: 'http://snomed.info/sct', code, display }] },
  },
})

async function fileOf(...entry: object[]): Promise<string> {
  const path = join(folder, 'bundle.json')
  await writeFile(path, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry }))
  return path
}

const conditionsOf = async (db: Database, { actor }: Account) =>
  await asActor(db, actor, async (tx) => {
    const rows = await tx.execute(sql`select name, code_system, code from patient_conditions order by name`)
    return [...rows]
  })

test('what a file states in codes enters the record as it says it, tied to the words of its page', async (t) => {
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)

  await t.test('with the codes of the file and a place on a page', async (stated) => {
    const me = await signUp(db, 'Wilhelmina Quist')
    const path = await fileOf(person('a', 'Quist', 'Wilhelmina', '1961-04-09'), condition('a', '195967001', 'Asthma'), {
      resource: {
        ...condition('a', '90560007', 'Gout').resource,
        verificationStatus: { coding: [{ code: 'entered-in-error' }] },
      },
    })
    const file = await runner.upload(me, path, { mimeType: fhirType })
    stated.equal((await runner.runAll()).length, 6)
    stated.same(await conditionsOf(db, me), [{ name: 'Asthma', code_system: 'SNOMED', code: '195967001' }])
    const facts = await asActor(db, me.actor, (tx) => listFacts(tx, file))
    const asthma = facts.find(({ text }) => text === 'Asthma')
    stated.equal(asthma?.confidence, 'high')
    stated.equal(asthma?.sources[0]?.quote, 'Asthma')
    stated.equal(asthma?.found_by.model, 'coded entries')
  })

  await t.test('a file about two people waits, and even accepted it brings nothing of the other', async (two) => {
    const me = await signUp(db, 'Berta Ohm')
    const path = await fileOf(
      person('a', 'Ohm', 'Berta', '1971-05-06'),
      person('b', 'Other', 'Ann', '1980-01-01'),
      condition('a', '195967001', 'Asthma'),
      condition('b', '90560007', 'Gout'),
    )
    const file = await runner.upload(me, path, { mimeType: fhirType })
    await runner.runAll()
    const review = sql`select id as value from manual_review_queue where shell_file_id = ${file}`
    const id = String(await askOne(db, me.actor, review))
    two.same(await conditionsOf(db, me), [])
    await asActor(db, me.actor, (tx) => tx.execute(sql`select decide_identity_review(${id}, 'accepted')`))
    await runner.runAll()
    two.same(await conditionsOf(db, me), [{ name: 'Asthma', code_system: 'SNOMED', code: '195967001' }])
  })
})
