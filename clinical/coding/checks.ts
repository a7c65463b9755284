/** Checks that need no model: what they find is said in words that a patient understands, and lowers confidence. */
import type { FoundFact } from '../document/found-fact.ts'
import { unitOf } from '../terminology/units.ts'
import { compoundQuantity } from './compound-quantity.ts'
import { dateFitsFile, type FileDates } from './file-dates.ts'
import { fittingUnits, observationIdOf, observationUnits } from './observation-codes.ts'
import { parseNumber, parseRange } from './printed-numbers.ts'

export type Finding = { readonly weight: 'check' | 'low'; readonly reason: string }

export type CheckContext = {
  /** ISO days. */
  readonly birthDate: string | null
  readonly today: string
  /** Of the file that the fact stands in. */
  readonly file: FileDates
}

export type CheckedFact = Pick<
  FoundFact,
  'type' | 'value' | 'unit' | 'referenceRange' | 'date' | 'detail' | 'concept' | 'status'
>

export function checkFact(fact: CheckedFact, context: CheckContext): Finding[] {
  return [
    isMeantStruck(fact),
    valueIsRead(fact),
    unitFits(fact),
    valueIsPlausible(fact),
    flagFitsRange(fact),
    dateIsSettled(fact),
    dateIsPossible(fact, context) ?? dateFitsFile(fact, context.file),
  ].filter((finding) => finding !== null)
}

/** A row of results whose number cannot be told; a test that is only named has neither unit nor range. */
export function hasUnreadValue(fact: Pick<CheckedFact, 'type' | 'value' | 'unit' | 'referenceRange'>): boolean {
  return fact.type === 'lab_result' && fact.value === null && fact.unit !== null && fact.referenceRange !== null
}

/** A line is seen, not what was meant by it. */
function isMeantStruck({ detail }: CheckedFact): Finding | null {
  if (detail.isStruckOut !== true) return null
  return { weight: 'check', reason: 'The words are struck out, so this is taken as stopped; please see if it is.' }
}

function valueIsRead(fact: CheckedFact): Finding | null {
  return hasUnreadValue(fact) ? { weight: 'low', reason: 'The value could not be read.' } : null
}

function unitFits(fact: CheckedFact): Finding | null {
  const id = observationIdOf(fact.concept)
  if (id === null || fact.unit === null || observationUnits(id).length === 0) return null
  if (unitOf(fact.unit) === null) return { weight: 'check', reason: 'The unit is not one that we know.' }
  if (fittingUnits(id, fact.unit).length > 0) return null
  return { weight: 'check', reason: 'The unit is unusual for this test.' }
}

/** The ranges are wide on purpose: outside of them is almost surely a misread number or unit. */
function valueIsPlausible(fact: CheckedFact): Finding | null {
  const id = observationIdOf(fact.concept)
  const compound = fact.unit === null ? compoundQuantity(fact.value) : null
  const printed = compound ?? parseNumber(fact.value)
  const unit = compound?.ucum ?? fact.unit
  if (id === null || printed === null || unit === null) return null
  const ranges = fittingUnits(id, unit).flatMap(({ plausible }) => (plausible === null ? [] : [plausible]))
  if (ranges.length === 0 || ranges.some(([low, high]) => printed.value >= low && printed.value <= high)) return null
  return { weight: 'low', reason: 'The number is outside of what this test can show; it may be misread.' }
}

function flagFitsRange(fact: CheckedFact): Finding | null {
  const printed = parseNumber(fact.value)
  const range = parseRange(fact.referenceRange)
  const flag = fact.detail.flag?.trim() ?? ''
  if (printed === null || range === null || printed.comparator !== null) return null
  const isHigh = range.high !== null && printed.value > range.high
  const isLow = range.low !== null && printed.value < range.low
  const saysHigh = /^\(?(h{1,2}|high|\+{1,2}|↑)\)?$/i.test(flag)
  const saysLow = /^\(?(l{1,2}|low|-{1,2}|↓)\)?$/i.test(flag)
  if ((saysHigh && !isHigh) || (saysLow && !isLow))
    return { weight: 'check', reason: 'The printed flag does not fit the printed range.' }
  return null
}

function dateIsSettled(fact: CheckedFact): Finding | null {
  if (fact.date?.certainty !== 'ambiguous') return null
  return { weight: 'check', reason: 'Day and month of the date could be the other way round.' }
}

/** What has happened cannot be dated before birth or after today; what is planned may lie ahead. */
function dateIsPossible(fact: CheckedFact, context: CheckContext): Finding | null {
  const iso = fact.date?.iso
  if (iso === undefined) return null
  if (context.birthDate !== null && iso < context.birthDate.slice(0, iso.length))
    return { weight: 'low', reason: 'The date is before the date of birth.' }
  if (fact.status !== 'hypothetical' && iso > context.today.slice(0, iso.length))
    return { weight: 'check', reason: 'The date lies in the future.' }
  return null
}
