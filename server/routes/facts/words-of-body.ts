import type { FactChanges } from '../../../clinical/entities/person-fact.ts'
import type { FactDecisionBody, NewFactBody } from './schema.ts'

type Said = Pick<
  Extract<FactDecisionBody, { review: 'edited' }> | NewFactBody,
  'status' | 'value' | 'unit' | 'reference_range' | 'date' | 'detail'
>

/** What a person says, by the names that facts have inside. */
export function wordsOfBody({ status, value, unit, reference_range, date, detail }: Said): FactChanges {
  return { status, value, unit, referenceRange: reference_range, date, detail: detailOf(detail) }
}

function detailOf(detail: Said['detail']): FactChanges['detail'] {
  if (detail === undefined) return undefined
  const named = Object.entries(detail).flatMap(([name, value]) =>
    value === undefined ? [] : [[camelCase(name), value]],
  )
  return Object.fromEntries(named)
}

const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
