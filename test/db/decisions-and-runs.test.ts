import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { NewFact } from '../../db/queries/found-facts.ts'
import { serve, signUp } from '../support/actors.ts'
import { code, decide, edit, listOf, recordOf, runPasses, undo } from '../support/fact-decisions.ts'
import { makeFile, source } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

/** A result in a row of a page; of a text that is read anew, `shift` moves its letters and `drift` its boxes a little. */
const result = (row: number, value: string, { shift = 0, drift = 0, ...changes }: Partial<NewFact> & Moved = {}) => {
  const [start, y0] = [row * 100 + shift, row / 20 + drift]
  const box = { y0, y1: y0 + 0.01, textStart: start }
  return {
    findingKey: `lab_result:${start}+7:${start + 8}+3`,
    factType: 'lab_result' as const,
    factText: 'Glucose',
    value,
    unit: 'mmol/L',
    foundDate: { iso: '2021-03-04', printed: '4 Mar 2021', meaning: 'collected', certainty: 'printed' },
    concept: null,
    sources: [
      source({ ...box, quote: 'Glucose' }),
      source({ ...box, role: 'value', quote: value, textStart: start + 8, x0: 0.5, x1: 0.55 }),
    ] as NewFact['sources'],
    ...changes,
  }
}
type Moved = { readonly shift?: number; readonly drift?: number }

const onlyRow = <Row>(rows: readonly Row[]): Row => {
  const [row, ...others] = rows
  if (row === undefined || others.length > 0) throw new Error(`${rows.length} rows`)
  return row
}

test('a correction stands however often its file is processed again, whatever is read there', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [result(1, '51')])
  const { id } = onlyRow(await listOf(db, person, file))
  await edit(db, person, id, { value: '5.1' })
  const before = await recordOf(db, person)

  await code(db, file)
  t.same(await recordOf(db, person), before, 'coded again')
  await runPasses(db, file, [result(1, '51')])
  t.same(await recordOf(db, person), before, 'found again in the same text')
  for (const [version, value] of [
    [2, '51'],
    [3, '5.1'],
    [4, '5.7'],
  ] as const) {
    await runPasses(db, file, [result(1, value, { shift: version, drift: 0.001 })], version)
    t.same(await recordOf(db, person), before, `read again as ${value}`)
    const fact = onlyRow(await listOf(db, person, file))
    t.match(fact, { id, value: '5.1', as_found: { value: '51' } })
    t.equal(fact.sources[0]?.start, 100 + version, 'it points into the text of today')
  }
  await runPasses(db, file, [], 5)
  t.same(await recordOf(db, person), before, 'not found any more')
})

test('a rejected finding stays out in every run, and takes no other mention along', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const other = { foundDate: { iso: '2022-01-01', printed: '2022', meaning: 'collected', certainty: 'printed' } }
  await runPasses(db, file, [result(1, '5.1'), result(2, '5.1', other)])
  const [seen] = await listOf(db, person, file)
  const decision = await decide(db, person, seen?.id ?? '', { decision: 'rejected', reason: 'not_said' })
  const one = [{ value_text: '5.1', event_date: '2022-01-01' }]
  t.match(await recordOf(db, person), one)

  await runPasses(db, file, [result(1, '5.1'), result(2, '5.1', other)])
  t.match(await recordOf(db, person), one)
  await runPasses(db, file, [result(1, '5.1', { shift: 3, drift: 0.002 }), result(2, '5.1', { ...other, shift: 3 })], 2)
  t.match(await recordOf(db, person), one, 'in a text that was read anew')
  t.equal((await recordOf(db, person)).length, 1)

  await runPasses(db, file, [result(1, '5.1', { shift: 9 }), result(5, '5.1', { shift: 9 })], 3)
  t.match(await recordOf(db, person), [{ value_text: '5.1', event_date: '2021-03-04' }], 'said elsewhere, it is said')
  t.equal((await listOf(db, person, file)).filter((fact) => fact.review === 'rejected').length, 1)

  await runPasses(db, file, [result(1, '5.7', { shift: 12 })], 4)
  t.match(
    await recordOf(db, person),
    [{ value_text: '5.7' }],
    'read otherwise at the same place, it is another finding',
  )
  await undo(db, person, file, decision)
  t.equal((await recordOf(db, person)).length, 2)
})

test('a no to what was read as present is none to what is read as denied', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [result(1, '5.1')])
  const { id } = onlyRow(await listOf(db, person, file))
  await decide(db, person, id, { decision: 'rejected', reason: 'wrong_value' })
  await runPasses(db, file, [result(1, '5.1', { factStatus: 'uncertain', shift: 2 })], 2)
  t.match(await recordOf(db, person), [{ assertion: 'uncertain' }])
})

test('a rejection in one file is none in another that says the same', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [file, other] = [await makeFile(db, person), await makeFile(db, person)]
  await runPasses(db, file, [result(1, '5.1')])
  const { id } = onlyRow(await listOf(db, person, file))
  await decide(db, person, id, { decision: 'rejected', reason: 'wrong_value' })
  t.same(await recordOf(db, person), [])
  await runPasses(db, other, [result(1, '5.1')])
  t.match(await recordOf(db, person), [{ shell_file_id: other.shellFileId, review: 'unreviewed' }])
  await runPasses(db, file, [result(1, '5.1', { shift: 1 })], 2)
  t.match(onlyRow(await listOf(db, person, file)), { review: 'rejected', in_record: false })
})

test('an accepted fact keeps its place in the record, and later mentions join it', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [result(1, '5.1')])
  const { id } = onlyRow(await listOf(db, person, file))
  await decide(db, person, id, { decision: 'accepted' })
  await runPasses(db, file, [result(1, '5.1', { shift: 4 }), result(6, '5.1', { shift: 4 })], 2)
  const fact = onlyRow(await listOf(db, person, file))
  t.match(fact, { id, review: 'accepted', in_record: true })
  t.equal(fact.sources.length, 4)
  t.match(await recordOf(db, person), [{ id, review: 'accepted' }])
})

test('a page that is cut otherwise does not bring a rejected fact back', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  await runPasses(db, file, [result(1, '5.1')])
  const { id } = onlyRow(await listOf(db, person, file))
  await decide(db, person, id, { decision: 'rejected', reason: 'duplicate' })
  await runPasses(db, file, [result(1, '5.1', { drift: 0.2 })], 2)
  t.same(await recordOf(db, person), [])
  const rows = await serve(db, sql`select count(*)::int as count from entity_processing_audit_v2`)
  t.same(rows, [{ count: 1 }])
})
