import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { exportFromDatabase } from '../../scripts/export/from-database.ts'
import { signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { stageRunner } from '../support/stage-runner.ts'

const report = fileURLToPath(new URL('../fixtures/documents/lab-report-au.pdf', import.meta.url))

test('a processed document is exported in the format that the corpus is scored with', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const id = await runner.upload(await signUp(db, 'me'), report)
  await runner.runAll()

  const [exported] = await exportFromDatabase(appUrl, [{ id, doc: 'lab' }])

  t.equal(exported?.doc, 'lab')
  const results = exported?.facts.filter((fact) => fact.type === 'observation') ?? []
  t.ok(results.length > 3)
  for (const { page, bbox, value } of results) {
    t.ok(value !== undefined && page === 1 && bbox !== undefined)
    t.ok(bbox === undefined || bbox[3] - bbox[1] < 0.05, 'the place of a result is its row')
  }
  t.notOk(
    exported?.facts.some((fact) => fact.type === 'identity'),
    'who it is about is not exported',
  )
  const [page] = exported?.pages ?? []
  t.ok((page?.words.length ?? 0) > 50)
  t.ok(page?.text.includes(page.words[0]?.[0] ?? '?'))
})
