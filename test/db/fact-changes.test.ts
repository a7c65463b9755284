import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import { changesOfRun } from '../../db/queries/fact-changes.ts'
import { signUp, serve } from '../support/actors.ts'
import { completeStages, upload } from '../support/factories.ts'
import { decide, edit, glucose, listOf, runPasses } from '../support/fact-decisions.ts'
import { endJobs, reprocess } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

const stages = ['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate'] as const

test('what another run reads otherwise is told, by what is new, changed and gone', async (t) => {
  const { db } = await testDatabase(t)
  const [person, stranger] = [await signUp(db), await signUp(db)]
  const file = { shellFileId: (await upload(db, person)).shell_file_id, patientId: person.profileId }
  await endJobs(db, file.shellFileId, 'completed')
  await completeStages(db, file.shellFileId, stages)
  const named = (factText: string, start: number) => ({ ...glucose('4.0', '2021-03-04', start), factText })
  await runPasses(db, file, [
    glucose('5.1', '2021-03-04'),
    glucose('6.2', '2022-03-04', 100),
    named('Sodlum', 200),
    named('Urea', 300),
    named('Zinc', 400),
  ])
  const changes = (who = person) => asActor(db, who.actor, (tx) => changesOfRun(tx, file.shellFileId))
  t.equal(await changes(), null, 'it was never processed again')

  // The text is mapped anew: every place and every row is another.
  await reprocess(db, person, file.shellFileId, 'spatial_mapping')
  t.match(await changes(), { settled: false })
  await endJobs(db, file.shellFileId, 'completed')
  await completeStages(db, file.shellFileId, stages.slice(2))
  const again = [
    { ...glucose('5.1', '2021-03-04'), findingKey: 'a' },
    { ...glucose('6.7', '2022-03-04', 100), findingKey: 'b', detail: { flag: 'H' } },
    { ...named('Sodium', 200), findingKey: 'c' },
    { ...named('Zinc', 400), findingKey: 'd' },
    { ...named('Iron', 500), findingKey: 'e' },
  ]
  await runPasses(db, file, again, 2)
  const told = await changes()
  t.match(told, {
    settled: true,
    unchanged: 2,
    new: [{ text: 'Iron', in_record: true }],
    changed: [
      {
        text: 'Glucose',
        changes: [
          { field: 'detail.flag', before: null, after: 'H' },
          { field: 'value', before: '6.2', after: '6.7' },
        ],
      },
      { text: 'Sodium' },
    ],
    gone: [{ text: 'Urea' }],
  })
  t.match(
    told?.changed[1]?.changes.find(({ field }) => field === 'text'),
    { before: 'Sodlum', after: 'Sodium' },
  )
  t.equal(await changes(stranger), null, 'others are told nothing')

  // Coded again, nothing is read otherwise; what a person said is nobody's change.
  const [first, second] = await listOf(db, person, file)
  await edit(db, person, first?.id ?? '', { value: '5.2' })
  await decide(db, person, second?.id ?? '', { decision: 'rejected', reason: 'other' })
  await serve(db, sql`update job_queue set status = 'completed' where shell_file_id = ${file.shellFileId}`)
  await completeStages(db, file.shellFileId, ['pass3_narrate'])
  await reprocess(db, person, file.shellFileId, 'pass1_find')
  await runPasses(db, file, again, 2)
  t.match(await changes(), { unchanged: 5, new: [], changed: [], gone: [] })
})
