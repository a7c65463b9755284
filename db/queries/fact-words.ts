/** What a fact says, as the API words it: as it was found, and as a person corrected it. */
import { z } from 'zod'
import { factStatuses, type FactRow } from '../schema/facts.ts'

export type FactWords = {
  readonly text: string
  readonly value: string | null
  readonly unit: string | null
  readonly reference_range: string | null
  /** ISO 8601, as exact as printed. */
  readonly date: string | null
  readonly status: (typeof factStatuses)[number]
  /** What is particular to the type (dose, route, laterality, …), in words. */
  readonly detail: Readonly<Record<string, string>>
}

export function wordsOf(
  row: Pick<
    FactRow,
    'factType' | 'factText' | 'factStatus' | 'value' | 'unit' | 'referenceRange' | 'foundDate' | 'detail'
  >,
): FactWords {
  return {
    text: row.factText,
    value: row.value,
    unit: row.unit,
    reference_range: row.referenceRange,
    date: isoDate(row.foundDate),
    // What is present in the family is not present in the patient.
    status: row.factType === 'family_history' && row.factStatus === 'present' ? 'family' : row.factStatus,
    detail: wordsOfDetail(row.detail),
  }
}

/** Null where nobody has corrected it. */
export function correctedWordsOf(row: FactRow): FactWords | null {
  return row.corrected === null ? null : wordsOf({ ...row, ...correctedFact.parse(row.corrected) })
}

/** Of what `CorrectedFact` keeps, what is shown. */
const correctedFact = z
  .object({
    fact_text: z.string(),
    fact_status: z.enum(factStatuses),
    value: z.string().nullable(),
    unit: z.string().nullable(),
    reference_range: z.string().nullable(),
    found_date: z.unknown(),
    detail: z.unknown(),
  })
  .transform(({ fact_text, fact_status, reference_range, found_date, ...same }) => ({
    ...same,
    factText: fact_text,
    factStatus: fact_status,
    referenceRange: reference_range,
    foundDate: found_date,
  }))

/** Lists (codes, the parts of a reading) are told by other fields. */
function wordsOfDetail(detail: unknown): FactWords['detail'] {
  const words = Object.entries(detail ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  return Object.fromEntries(words.map(([name, value]) => [snakeCase(name), value]))
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function isoDate(found: unknown): string | null {
  if (typeof found !== 'object' || found === null || !('iso' in found)) return null
  return typeof found.iso === 'string' ? found.iso : null
}
