import t from 'tap'
import type { Test } from 'tap'
import { stages } from '../../db/schema/documents.ts'
import type { Stage } from '../../db/schema/documents.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import type { Running, TestSystem } from '../support/system.ts'
import { closeStages } from './gates.ts'
import type { StageMoment } from './gates.ts'
import { misplacedSources } from './placed.ts'
import { tracesOf } from './traces.ts'
import type { Traces } from './traces.ts'

const letter = sample('discharge-summary-two-pages.pdf')
const parker = { name: 'Parker Casper', bornOn: '1952-07-31' }
const quick = { WORKER_LEASE_SECONDS: '1' }

t.setTimeout(100_000)

void t.test('workers that die', async (group) => {
  const system = await openSystem(group)
  const { sql, startServer, startWorker, introduce } = system
  const [server, undisturbed] = await Promise.all([startServer(), startWorker(quick)])
  const control = await introduce(server, parker)
  const controlId = await control.give(letter)
  await control.follow(controlId)
  const wanted = await tracesOf(sql, control, controlId)
  group.ok(wanted.facts.length > 30 && (wanted.rows['patient_clinical_events'] ?? 0) > 20, 'there is much to lose')
  await undisturbed.kill()
  const killed = { system, server, wanted }

  await group.test('in the middle of each stage lose nothing and double nothing', (test) =>
    killInStages(test, { ...killed, moment: 'end', in: stages }),
  )
  await group.test('while the database commits lose nothing and double nothing', (test) =>
    killInStages(test, { ...killed, moment: 'commit', in: ['ocr', 'pass2_code', 'pass3_narrate'] }),
  )
})

type Killing = {
  readonly system: TestSystem
  readonly server: Running
  /** What the same document left where nobody died. */
  readonly wanted: Traces
  readonly moment: StageMoment
  readonly in: readonly Stage[]
}

async function killInStages(test: Test, { system, server, wanted, moment, in: deaths }: Killing): Promise<void> {
  const { sql, startWorker, introduce } = system
  const gates = await closeStages(test, sql, moment, deaths)
  const person = await introduce(server, parker)
  const id = await person.give(letter)
  for (const stage of deaths) {
    const worker = await startWorker(quick)
    await person.untilTold(id, (event) => event.stage === stage && event.status === 'running')
    await gates.reached(stage)
    await worker.kill()
    await gates.open(stage)
  }
  const [last] = await Promise.all([startWorker(quick), person.follow(id)])

  test.same(await tracesOf(sql, person, id), wanted)
  test.same(await misplacedSources(person, id), [])
  // What has committed is not done again: a stage whose worker died takes another attempt, a commit does not.
  const attempts = await sql`
    select job_type, retry_count > 0 as was_repeated from job_queue where shell_file_id = ${id} order by id`
  test.same(
    attempts,
    stages.map((stage) => ({ job_type: stage, was_repeated: moment === 'end' })),
  )
  test.equal((await fetch(`${last.address}/health`)).status, 200)
  await last.kill()
}
