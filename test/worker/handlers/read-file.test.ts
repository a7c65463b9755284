import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import { listPages } from '../../../db/queries/pages.ts'
import { serve, signUp } from '../../support/actors.ts'
import { fileState } from '../../support/files.ts'
import { pdfOfLines } from '../../support/pdf.ts'
import { testDatabase } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'

const document = (name: string) => fileURLToPath(new URL(`../../fixtures/documents/${name}`, import.meta.url))

test('a long document is saved as it is read, and shows how far that is', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  // More pages than one child opens.
  const count = 230
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), 'long.pdf')
  const pages = Array.from({ length: count }, (_, page) => [{ text: `This is page ${page + 1}`, x: 72, y: 700 }])
  await writeFile(path, pdfOfLines(pages))
  const file = await runner.upload(person, path)
  await runner.runOne()
  t.match(await runner.runOne(), { type: 'ocr', settled: 'completed' })

  const saved = await asService(db, {}, (tx) => listPages(tx, file))
  t.same(
    saved.map(({ number, wordCount }) => [number, wordCount]),
    pages.map((_, page) => [page + 1, 4]),
  )
  const told = await serve(
    db,
    sql`select pages_done as done, pages_total as total from shell_file_events
        where shell_file_id = ${file} and stage = 'ocr' and pages_done is not null order by id`,
  )
  const done = told.map((row) => Number(row['done']))
  t.equal(done[0], 1, 'the first page at once')
  t.equal(done.at(-1), count)
  t.ok(
    done.every((each, n) => n === 0 || each >= (done[n - 1] ?? 0)),
    'never backwards',
  )
  t.ok(done.length > count / 20, 'and steadily')
  t.ok(told.every((row) => row['total'] === count))
})

test('a document of which no page can be opened fails at once, with a reason', async (t) => {
  const { db } = await testDatabase(t)
  const runner = await stageRunner(t, db)
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, document('discharge-summary-two-pages.pdf'))
  await runner.runOne()
  const [row] = await serve(db, sql`select storage_key from shell_files where id = ${file}`)
  const key = String(row?.['storage_key'])
  await runner.store.delete(key)
  await runner.store.put(Readable.from([Buffer.from('no PDF any more')]), { key, maxBytes: 100 })

  t.match(await runner.runOne(), { type: 'ocr', settled: 'completed' })
  t.match(await fileState(db, file), { status: 'failed', processing_error: { code: 'file_corrupt', stage: 'ocr' } })
  t.equal(await runner.runOne(), null, 'and is not tried again')
})
