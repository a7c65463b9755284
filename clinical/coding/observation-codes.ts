/** LOINC codes belong to a property: the unit decides which one (glucose in mmol/L is not glucose in mg/dL). */
import { unitOf } from '../terminology/units.ts'
import { once, readTable } from '../terminology/read-table.ts'
import type { Candidate, CodedWords } from './coding.ts'
import { compoundQuantity } from './compound-quantity.ts'
import { parseNumber } from './printed-numbers.ts'

export type ObservationUnit = {
  readonly ucum: string
  readonly loinc: string
  readonly display: string
  readonly isVerified: boolean
  readonly plausible: readonly [number, number] | null
}

export function observationCandidates(id: string, fact: CodedWords): Candidate[] {
  const units = observationUnits(id)
  const fitting = fittingUnits(id, fact.unit)
  const byUnit = fitting.filter((unit) => unit.loinc !== '').map((unit) => candidate(unit, unit.isVerified ? 1 : 0.95))
  if (byUnit.length > 0) return distinct(byUnit)
  const usual = units.filter((unit) => unit.loinc !== '')
  const meant = fact.unit === null ? meantProperty(usual, fact) : null
  return distinct(usual.map((unit) => ({ ...candidate(unit, unit === meant ? 0.9 : 0.6), method: 'rule' })))
}

/** Without a printed unit: the usual code for words; for a number the one property in which it is possible at all. */
function meantProperty(units: readonly ObservationUnit[], fact: CodedWords): ObservationUnit | null {
  const compound = compoundQuantity(fact.value)
  if (compound !== null) return units.find(({ ucum }) => ucum === compound.ucum) ?? null
  const number = parseNumber(fact.value)?.value ?? null
  if (number === null) return isTextual(fact) ? (units[0] ?? null) : null
  const possible = units.filter(
    ({ plausible }) => plausible !== null && number >= plausible[0] && number <= plausible[1],
  )
  const [only] = possible
  return only !== undefined && possible.every((unit) => unit.loinc === only.loinc) ? only : null
}

/** The rows of the test that take the printed unit; none when the unit does not fit the test. */
export function fittingUnits(id: string, printedUnit: string | null): readonly ObservationUnit[] {
  const units = observationUnits(id)
  if (printedUnit === null) return units.filter((unit) => unit.ucum === '' || unit.ucum === '1')
  const ucum = unitOf(printedUnit)?.ucum ?? []
  return units.filter((unit) => ucum.some((code) => sameUcum(code, unit.ucum)))
}

export function observationUnits(id: string): readonly ObservationUnit[] {
  return allUnits().get(id) ?? []
}

/** What the test of the table is done on, in its words ("arterial blood"). */
export function observationSpecimen(id: string): string {
  return specimens().get(id) ?? ''
}

const specimens = once(
  () => new Map(readTable('observations', ['id', 'specimen']).map((row) => [row.id, row.specimen])),
)

const isTextual = (fact: CodedWords) => fact.value !== null && !/\d/.test(fact.value)

function candidate(unit: ObservationUnit, score01: number): Candidate {
  return { system: 'LOINC', code: unit.loinc, display: unit.display, score01, method: 'unit', isEquivalent: true }
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.toReversed().map((each) => [each.code, each])).values()].toReversed()
}

/** Annotations in braces carry no meaning in UCUM, and 10*9/L is G/L. */
function sameUcum(a: string, b: string): boolean {
  return plainUcum(a) === plainUcum(b)
}

const plainUcum = (ucum: string) => ucum.replace(/\{[^}]*\}/g, '').replace(/^1(?=\/)/, '')

const allUnits = once(() => {
  const rows = readTable('observation_units', [
    'observation_id',
    'ucum',
    'loinc_code',
    'loinc_long_common_name',
    'loinc_verified',
    'plausible_min',
    'plausible_max',
  ])
  const units = rows.map((row) => ({
    id: row.observation_id,
    ucum: row.ucum,
    loinc: row.loinc_code,
    display: row.loinc_long_common_name,
    isVerified: row.loinc_verified === 'Y',
    plausible: plausibleRange(row.plausible_min, row.plausible_max),
  }))
  return Map.groupBy(units, (unit) => unit.id)
})

function plausibleRange(min: string, max: string): readonly [number, number] | null {
  return min === '' || max === '' ? null : [Number(min), Number(max)]
}

/** The row of the table of observations that a rule has matched; null: none, or of another table. */
export function observationIdOf(concept: string | null): string | null {
  const [table, id] = concept?.split(':', 2) ?? []
  return table === 'observations' && id !== undefined ? id : null
}
