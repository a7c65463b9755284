import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { jsonOf } from '../../db/queries/insert-rows.ts'
import { ask, ownerSql, signUp } from '../support/actors.ts'
import { find, makeFile, source } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'

test('rows are kept as they are, whatever signs are in them', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const words = `O'Neill "x" \\ud83d \\ {a,b} 10⁹/L 😀 \t half of a pair: \ud83d.`
  await find(db, file, [
    { factText: words, value: null, detail: { reaction: words, codes: [{ system: 'x', code: '1', display: null }] } },
  ])
  const kept = await ask(db, person.actor, sql`select fact_text as text, value, detail from entity_processing_audit_v2`)
  const whole = words.toWellFormed()
  t.same(kept, [
    { text: whole, value: null, detail: { reaction: whole, codes: [{ system: 'x', code: '1', display: null }] } },
  ])
})

test('thousands of facts are found again with the same ids, each with its words', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  const file = await makeFile(db, person)
  const facts = Array.from({ length: 6_000 }, (_, n) => ({
    findingKey: `medication:${n}`,
    sources: [source({ textStart: n }), source({ role: 'value', textStart: n + 1 })] as const,
  }))
  const first = await find(db, file, facts)
  const again = await find(db, file, facts)
  t.same(again, first)
  const [kept] = await ownerSql(t, ownerUrl)`
    select count(*)::int as sources, count(distinct fact_id)::int as facts from fact_sources`
  t.same(kept, { sources: 12_000, facts: 6_000 })
})

test('a key is a column, and what is kept as JSON stays as it is', (t) => {
  t.equal(
    jsonOf([{ foundDate: { endDate: 'x' }, x0: 1, confidence01: 0.5 }]),
    '[{"found_date":{"endDate":"x"},"x0":1,"confidence01":0.5}]',
  )
  t.end()
})
