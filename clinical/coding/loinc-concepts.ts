import type { SourceCode } from '../document/found-fact.ts'
import { once, readTable } from '../terminology/read-table.ts'

/** The row of our own table that a LOINC code means, so that its unit and value can be checked; null for the many others. */
export function observationOfLoinc(codes: readonly SourceCode[]): string | null {
  const ids = codes.flatMap(({ system, code }) => (system === 'LOINC' ? [observations().get(code)] : []))
  const id = ids.find((each) => each !== undefined)
  return id === undefined ? null : `observations:${id}`
}

const observations = once(
  () =>
    new Map(
      readTable('observation_units', ['observation_id', 'loinc_code']).map((row) => [
        row.loinc_code,
        row.observation_id,
      ]),
    ),
)
