/** Doses of vaccine that were given: rows and lists of a record, and sentences that say so. */
import type { FoundFact } from '../document/found-fact.ts'
import type { Reading } from './found.ts'
import type { Table } from './table-columns.ts'
import { listedDoses } from './vaccine-lists.ts'
import { isVaccineTable, rowDoses } from './vaccine-rows.ts'
import { statedDoses } from './vaccine-statements.ts'

export function findImmunisations(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const vaccineTables = tables.filter((table) => isVaccineTable(reading, table))
  const inRows = new Set(vaccineTables.flatMap((table) => table.rows.map((row) => row.place)))
  return [
    ...vaccineTables.flatMap((table) => table.rows.flatMap((row) => rowDoses(reading, table, row))),
    ...reading.segments.flatMap((segment, place) => {
      if (segment.kind === 'heading' || inRows.has(segment.firstLine)) return []
      return segment.role.slug === 'immunisations'
        ? listedDoses(reading, segment, place)
        : statedDoses(reading, segment, place)
    }),
  ]
}
