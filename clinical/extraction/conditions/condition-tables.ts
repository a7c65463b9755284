/** Problems, procedures and relatives' illnesses set as a table under their own heading. */
import type { FoundFact } from '../../document/found-fact.ts'
import { firstNotBefore, type Cover } from '../../document/places.ts'
import { findCues } from '../statements/context.ts'
import { itemFact } from './condition-items.ts'
import type { Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'
import { cellsByRole, hasColumn, type Table } from '../statements/table-columns.ts'

export type TableMentions = { readonly facts: FoundFact[]; readonly lines: ReadonlySet<number> }

export function findTableMentions(reading: Reading, tables: readonly Table[], taken: Cover): TableMentions {
  const facts: FoundFact[] = []
  const lines = new Set<number>()
  for (const table of tables.filter(
    (candidate) =>
      hasColumn(candidate, 'problem', 'procedure') && !hasColumn(candidate, 'relative', 'medicine', 'test', 'result'),
  )) {
    for (const { line, place } of table.rows) {
      const cells = cellsByRole(table, line)
      const cell = cells.get('problem') ?? cells.get('procedure')
      const segment = reading.segments[firstNotBefore(reading.segments, (each) => each.firstLine < place)]
      if (!cell || segment?.firstLine !== place) continue
      // "Asthma | No": the row answers its own question; it is read as a statement.
      const cues = findCues(segment.tokens)
      if (cues.some(({ answer }) => answer !== undefined && answer.kind !== 'yes')) continue
      const slug = segment.role.slug ?? (cells.has('procedure') ? 'past-surgical-history' : 'problem-list')
      const status = cells.get('status')
      const isOver =
        segment.role.isOver ||
        (status !== undefined &&
          /resolved|inactive|past/i.test(reading.document.text.slice(status.start, status.start + status.length)))
      const context = {
        reading,
        segment: { ...segment, kind: 'row' as const, role: { ...segment.role, slug, isOver } },
        cues,
      }
      const fact = itemFact(
        context,
        bare(reading.document.text, { start: cell.start, end: cell.start + cell.length }),
        taken,
      )
      lines.add(place)
      if (fact) facts.push(fact)
    }
  }
  return { facts, lines }
}
