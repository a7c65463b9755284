import { test } from 'tap'
import { readTable, splitList } from '../../../clinical/terminology/read-table.ts'

test('the table of what belongs to a problem names rows that there are', (t) => {
  const idsOf = (table: string) => new Set(readTable(table, ['id']).map((row) => row.id))
  const tables = { condition_ids: 'conditions', observation_ids: 'observations', procedure_ids: 'procedures' } as const
  const rows = readTable('problem_results', ['id', 'condition_ids', 'observation_ids', 'procedure_ids'])
  t.equal(new Set(rows.map((row) => row.id)).size, rows.length)
  for (const column of ['condition_ids', 'observation_ids', 'procedure_ids'] as const) {
    const known = idsOf(tables[column])
    const unknown = rows.flatMap((row) => splitList(row[column]).filter((id) => !known.has(id)))
    t.same(unknown, [], column)
  }
  t.ok(rows.every((row) => row.condition_ids !== '' && `${row.observation_ids}${row.procedure_ids}` !== ''))
  t.end()
})
