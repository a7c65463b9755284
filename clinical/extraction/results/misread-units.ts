/**
 * Units that were misread from a picture. "pmol/L" is printed for hormones, and what a scan makes of "µmol/L": where a test is
 * never reported in the unit that was read, and one unit of the test alone looks like it, that one is meant.
 */
import type { Observation } from '../../terminology/concepts.ts'
import { isPlausible } from '../../terminology/plausible.ts'
import { unitOf, unitsOfUcum, type Unit } from '../../terminology/units.ts'
import { isRecognised, type Reading } from '../found.ts'
import type { RowValues } from './row-values.ts'

export type MeantUnit = {
  readonly unit: NonNullable<RowValues['unit']>
  /** What was read is a unit as well: somebody should compare. */
  readonly isOther: boolean
}

/** Null where the unit fits the test, was not read from a picture, or several units or none could be meant. */
export function meantUnit({ document }: Reading, observation: Observation, values: RowValues): MeantUnit | null {
  const place = values.unit ?? values.unreadUnit
  if (place === null || !isRecognised(document, place)) return null
  const printed = document.text.slice(place.start, place.end)
  const read = unitOf(printed)
  if (read?.ucum.some((ucum) => observation.acceptedUcum.includes(ucum)) === true) return null
  const alike = unitsOfUcum(observation.acceptedUcum).filter((unit) => looksLike(printed, unit.printed))
  const meant = alike.filter((unit) => isPossible(observation, unit, values))
  const [unit] = meant
  if (unit === undefined || meant.some((other) => !sharesUcum(other, unit))) return null
  return { unit: { start: place.start, end: place.end, printed: unit.printed, unit }, isOther: read !== null }
}

function isPossible(observation: Observation, unit: Unit, { value }: RowValues): boolean {
  const number = value?.number ?? null
  return number === null || isPlausible(observation.concept, number, unit.ucum)
}

const sharesUcum = (a: Unit, b: Unit) => a.ucum.some((ucum) => b.ucum.includes(ucum))

/** "x10^9/L", also where the raised figure or the stroke was read as other marks ("x10°/L", "x10%L"). */
const power = /^x?[1l][0o](\S{0,4}?)[/%]?([um]?l|mcl|mm3)$/

/** As both look with the signs put together that readers take for each other. */
function looksLike(read: string, printed: string): boolean {
  const [ofRead, ofPrinted] = [power.exec(plain(read)), power.exec(plain(printed))]
  if (ofRead === null || ofPrinted === null) return ofRead === ofPrinted && shape(plain(read)) === shape(plain(printed))
  const exponent = /^\D?(3|6|9|12)$/.exec(ofRead[1] ?? '')?.[1]
  const isAlike = exponent === undefined || exponent === ofPrinted[1]?.replaceAll(/\D/g, '')
  return isAlike && ofRead[2] === ofPrinted[2]
}

function plain(printed: string): string {
  return printed
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('×', 'x')
    .replaceAll(/[\s]|[.,;:]+$/g, '')
}

/** µ is read as p or u, U as V, L as 1 or I; a stroke gets lost between two letters, and "L/" becomes U. */
function shape(printed: string): string {
  return printed
    .replaceAll(/[µμpv]/g, 'u')
    .replaceAll(/[1i|!]/g, 'l')
    .replaceAll('o', '0')
    .replaceAll(/[/.^*'"°]/g, '')
    .replace(/^ll$/, 'ul')
}
