import t from 'tap'
import { stages } from '../../db/schema/documents.ts'
import { pdfOfLines } from '../support/pdf.ts'
import { openSystem } from '../support/system.ts'
import type { Running } from '../support/system.ts'
import { misplacedSources } from './placed.ts'

const people = 3
const documentsEach = 5
const total = people * documentsEach

t.setTimeout(280_000)

/** A report that no other says the same as. */
function report(number: number): Buffer {
  const lines = [
    'Patient: Robin Marsh',
    'DOB: 03/02/1961',
    `Collected: ${String(1 + (number % 28)).padStart(2, '0')}/05/2021`,
    `Haemoglobin ${100 + number} g/L`,
    `Sodium ${120 + number} mmol/L`,
  ]
  return pdfOfLines([lines.map((text, row) => ({ text, x: 72, y: 700 - row * 40 }))])
}

void t.test('fifteen documents at once, with two workers, are each read once', async (test) => {
  const { sql, startServer, startWorker, introduce, storedFiles } = await openSystem(test)
  const [server, ...workers] = await Promise.all([startServer(), startWorker(), startWorker()])
  const crowd = await Promise.all(
    Array.from({ length: people }, () => introduce(server, { name: 'Robin Marsh', bornOn: '1961-02-03' })),
  )
  const given = await Promise.all(
    crowd.flatMap((person) =>
      Array.from({ length: documentsEach }, async (_, number) => ({
        person,
        number,
        id: await person.giveBytes({ bytes: report(number), key: `report ${number}` }),
      })),
    ),
  )
  test.equal(new Set(given.map(({ id }) => id)).size, total)
  const ends = await Promise.all(given.map(async ({ person, id }) => (await person.follow(id)).at(-1)?.file_status))
  test.same(new Set(ends), new Set(['completed']))

  for (const { person, number, id } of given) {
    const results = (await person.facts(id)).filter((fact) => fact.type === 'lab_result')
    test.same(
      results.map((fact) => [fact.text, fact.value, fact.held]),
      [
        ['Haemoglobin', String(100 + number), false],
        ['Sodium', String(120 + number), false],
      ],
    )
    test.same(await misplacedSources(person, id), [])
  }

  await test.test('no job was run twice', async (counting) => {
    const jobs = await sql`
      select job_type, count(*)::int as n, count(distinct shell_file_id)::int as files, sum(retry_count)::int as repeated
      from job_queue where status = 'completed' and shell_file_id is not null group by job_type order by min(id::text)`
    counting.same(
      jobs,
      stages.map((stage) => ({ job_type: stage, n: total, files: total, repeated: 0 })),
    )
    const ended = workers.map(endedJobs)
    counting.equal(new Set(ended.flat()).size, total * stages.length)
    counting.equal(ended.flat().length, total * stages.length)
    counting.ok(
      ended.every((jobIds) => jobIds.length > total),
      'both worked',
    )
  })

  await test.test('each document counts once', async (counting) => {
    for (const person of crowd) {
      const [record] = await sql`
        select
          (select count(*)::int from patient_clinical_events where patient_id = ${person.profileId}) as events,
          (select count(*)::int from patient_observations where patient_id = ${person.profileId}) as spokes,
          (select sum(shell_files)::int from user_usage_tracking where profile_id = ${person.profileId}) as charged,
          (select count(*)::int from usage_events
            where profile_id = ${person.profileId} and event_type = 'file_uploaded') as ledger,
          (select count(*)::int from audit_log
            where patient_id = ${person.profileId} and table_name = 'shell_file_stages') as transitions`
      counting.same(record, {
        events: 2 * documentsEach,
        spokes: 2 * documentsEach,
        charged: documentsEach,
        ledger: documentsEach,
        transitions: 2 * stages.length * documentsEach,
      })
    }
    counting.equal((await storedFiles()).length, total)
  })
})

/** Of documents; what happens by the clock is done beside them. */
function endedJobs(worker: Running): string[] {
  return worker.lines
    .filter((line) => line['msg'] === 'job ended' && line['job_type'] !== 'run_schedule')
    .map((line) => String(line['job_id']))
}
