/** Values outside are almost surely a reading or unit error; the ranges are wide on purpose. */
import { once, readTable } from './read-table.ts'

export type PlausibleRange = { readonly ucum: string; readonly min: number; readonly max: number }

export function plausibleRanges(concept: string): readonly PlausibleRange[] {
  return ranges().get(concept) ?? []
}

/** With a unit: is the value possible in it? Without: is it possible in any unit that the observation is reported in? */
export function isPlausible(concept: string, value: number, ucum: readonly string[]): boolean {
  const known = plausibleRanges(concept)
  if (known.length === 0) return true
  const fitting = ucum.length === 0 ? known : known.filter((range) => ucum.includes(range.ucum))
  return fitting.length === 0 ? ucum.length > 0 : fitting.some((range) => value >= range.min && value <= range.max)
}

const ranges = once(() => {
  const found = new Map<string, PlausibleRange[]>()
  for (const row of readTable('observation_units', ['observation_id', 'ucum', 'plausible_min', 'plausible_max'])) {
    if (row.plausible_min === '' || row.plausible_max === '') continue
    const concept = `observations:${row.observation_id}`
    const range = { ucum: row.ucum, min: Number(row.plausible_min), max: Number(row.plausible_max) }
    found.set(concept, [...(found.get(concept) ?? []), range])
  }
  return found
})
