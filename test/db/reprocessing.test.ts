import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { stages } from '../../db/schema/documents.ts'
import { refusal, serve, signUp } from '../support/actors.ts'
import { completeStages, giveAccess, upload } from '../support/factories.ts'
import { endJobs, fileState, jobsOf, reprocess, stageStates, wrongState } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

test('a file is processed again from a stage on, by those who may write', async (t) => {
  const { db } = await testDatabase(t)
  const [person, carer] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, carer, person.profileId, { level: 'read_write' })
  const { shell_file_id: id } = await upload(db, person)
  t.equal(await refusal(reprocess(db, person, id, 'security_scan')), wrongState, 'while its job waits')
  await endJobs(db, id, 'completed')
  t.equal(await refusal(reprocess(db, person, id, 'ocr')), wrongState, 'before the stage ahead of it is done')
  await completeStages(db, id, stages)
  t.equal((await fileState(db, id))?.status, 'completed')

  t.equal(await refusal(reprocess(db, person, id, 'nonsense')), '22023')
  await reprocess(db, carer, id, 'spatial_mapping')
  t.same(await stageStates(db, id), {
    security_scan: 'completed',
    ocr: 'completed',
    spatial_mapping: 'pending',
    pass1_find: 'pending',
    pass2_code: 'pending',
    pass3_narrate: 'pending',
  })
  t.same(await jobsOf(db, id), ['spatial_mapping'])
  const [job] = await serve(
    db,
    sql`select initiated_by from job_queue where shell_file_id = ${id} and status = 'pending'`,
  )
  t.equal(job?.['initiated_by'], carer.accountId, 'in the name of who asked')
  t.equal((await fileState(db, id))?.status, 'processing')
})
