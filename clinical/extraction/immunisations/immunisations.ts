/** Doses of vaccine that were given: rows and lists of a record, and sentences that say so. */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Reading } from '../found.ts'
import type { Table } from '../statements/table-columns.ts'
import { doseCards } from './vaccine-cards.ts'
import { listedDoses } from './vaccine-lists.ts'
import { isVaccineTable, rowDoses } from './vaccine-rows.ts'
import { statedDoses } from './vaccine-statements.ts'

export function findImmunisations(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const vaccineTables = tables.filter((table) => isVaccineTable(reading, table))
  const inRows = new Set(vaccineTables.flatMap((table) => table.rows.map((row) => row.place)))
  const cards = doseCards(reading)
  return [
    ...cards.facts,
    ...vaccineTables.flatMap((table) => table.rows.flatMap((row) => rowDoses(reading, table, row))),
    ...reading.segments.flatMap((segment, place) => {
      if (segment.kind === 'heading' || inRows.has(segment.firstLine) || cards.segments.has(segment)) return []
      if (segment.role.slug !== 'immunisations') return statedDoses(reading, segment, place)
      // The last lines of a card are empty: a bare name right under its rows is not given.
      const isUnderRows = segment.kind !== 'row' && inRows.has(segment.firstLine - 1) && inRows.size > 1
      return listedDoses(reading, segment, place).filter(
        ({ date, status }) => !isUnderRows || date !== null || status === 'negated',
      )
    }),
  ]
}
