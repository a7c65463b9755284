import type { Test } from 'tap'
import { stages } from '../../db/schema/documents.ts'
import type { Stage } from '../../db/schema/documents.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import { closeStages } from './gates.ts'
import type { StageMoment } from './gates.ts'
import { misplacedSources } from './placed.ts'
import { tracesOf } from './traces.ts'

const letter = sample('discharge-summary-two-pages.pdf')
const parker = { name: 'Parker Casper', bornOn: '1952-07-31' }

export type Deaths = {
  readonly moment: StageMoment
  readonly in: readonly Stage[]
  readonly leaseSeconds: number
}

/**
 * One document whose workers die in these stages, one after the other. In the end it has left what the same document
 * leaves where nobody dies. Answers with the jobs that took another attempt.
 */
export async function killInStages(test: Test, deaths: Deaths): Promise<readonly string[]> {
  const env = { WORKER_LEASE_SECONDS: String(deaths.leaseSeconds) }
  const { sql, startServer, startWorker, introduce } = await openSystem(test)
  const [server, undisturbed] = await Promise.all([startServer(), startWorker(env)])
  const control = await introduce(server, parker)
  const controlId = await control.give(letter)
  await control.follow(controlId)
  const wanted = await tracesOf(sql, control, controlId)
  test.ok(wanted.facts.length > 30 && (wanted.rows['patient_clinical_events'] ?? 0) > 20, 'there is much to lose')
  await undisturbed.kill()

  const gates = await closeStages(test, sql, deaths.moment, deaths.in)
  const person = await introduce(server, parker)
  const id = await person.give(letter)
  for (const stage of deaths.in) {
    const worker = await startWorker(env)
    await person.untilTold(id, (event) => event.stage === stage && event.status === 'running')
    await gates.reached(stage)
    await worker.kill()
    await gates.open(stage)
  }
  const [last, told] = await Promise.all([startWorker(env), person.follow(id)])

  test.equal(told.at(-1)?.file_status, 'completed')
  test.same(await tracesOf(sql, person, id), wanted, 'everything is there once')
  test.same(await misplacedSources(person, id), [])
  test.equal((await fetch(`${last.address}/health`)).status, 200)
  const jobs = await sql<{ job_type: string; retry_count: number }[]>`
    select job_type, retry_count from job_queue where shell_file_id = ${id} order by id`
  test.same(
    jobs.map((job) => job.job_type),
    stages,
  )
  return jobs.filter((job) => job.retry_count > 0).map((job) => job.job_type)
}
