/** Strength, directions and state of one medicine, from its own line and the lines and sentences below that belong to it. */
import { readDirections, type Directions } from './directions.ts'
import { changedDose } from './dose-changes.ts'
import type { Range, Reading } from '../found.ts'
import { findMedicines, type NamedMedicine } from './medicine-name.ts'
import type { Segment } from '../statements/segments.ts'
import { asCombination, bareStrength, combinedStrength, jointStrength, strengthIn, type Strength } from './strength.ts'

/** The dose that holds now, and its directions: of a change the new one, on the medicine's line or the next. */
export function doseOf(
  reading: Reading,
  segment: Segment,
  place: number,
  medicine: NamedMedicine,
  { before, limit }: { readonly before: string; readonly limit: number },
): { strength: Strength | null; directions: Directions } {
  const text = reading.document.text
  const beside = strengthBeside(text, medicine, limit)
  // "Reduce prednisolone by 5 mg each week" says neither what is taken nor how often.
  const isStep = beside !== null && /\bby\s+$/i.test(text.slice(medicine.end, beside.start))
  if (isStep && !changedDose(text, before, medicine.end, limit))
    return { strength: null, directions: readDirections(text, medicine.end, medicine.end) }
  const printed =
    (beside && asCombination(beside, medicine)) ??
    combinedStrength(text, medicine, limit) ??
    bareStrength(text, medicine, limit) ??
    strengthBelow(reading, segment, place, medicine)
  const changed = changedDose(text, before, medicine.end, limit)
  const strength = changed?.strength ?? printed
  const isOnLine = printed !== null && printed.end < limit
  const first = readDirections(text, isOnLine ? printed.end : medicine.end, changed?.start ?? limit)
  const named = isOnLine ? readDirections(text, medicine.end, printed.start) : first
  const below = changed
    ? null
    : (nextDirections(reading, segment, place, limit) ?? directionsAbove(reading, segment, place))
  const now = changed ? readDirections(text, changed.from, limit) : first
  const read = now.frequency || !below ? now : readDirections(text, below.start, below.end)
  return {
    strength,
    directions: {
      ...read,
      dose: read.dose ?? (changed ? null : first.dose),
      frequency: read.frequency ?? first.frequency,
      frequencyCode: read.frequency ? read.frequencyCode : first.frequencyCode,
      // "Fentanyl patch 25 mcg/h": form and route may stand before the strength.
      route: read.route ?? first.route ?? named.route,
      form: read.form ?? first.form ?? named.form,
      indication: read.indication ?? first.indication,
    },
  }
}

/** Of a product with two ingredients both amounts; what a sliding scale says of some reading is nobody's dose. */
function strengthBeside(text: string, medicine: NamedMedicine, limit: number): Strength | null {
  const first = strengthIn(text, medicine.isJoint ? medicine.start : medicine.end, Math.min(limit, medicine.end + 60))
  if (!first || scaled.test(text.slice(medicine.end, first.start))) return null
  const { further } = medicine
  const isJoined =
    further && first.end <= further.start && /^\s*(?:[/+&,]|and|with)\s*$/i.test(text.slice(first.end, further.start))
  return (isJoined ? jointStrength(text, first, further, limit) : null) ?? first
}

const scaled =
  /\b(?:sliding scale|correction(?:al)? (?:scale|dose|factor)|(?:as )?per (?:scale|protocol|BGL|BSL)|BGLs?|BSLs?)\b/i

/** "Atorvastatin 20 mg. Take one at bedtime. Stopped 06/2021.": the last sentence of the item is about it as well. */
export function stateBelow(reading: Reading, segment: Segment, place: number): string {
  const further = reading.segments.slice(place + 1, place + 4)
  const end = further.findIndex(
    (next) => next.kind === 'heading' || next.firstLine >= segment.endLine || findMedicines(next.tokens).length > 0,
  )
  const own = (end < 0 ? further : further.slice(0, end)).map((next) =>
    reading.document.text.slice(next.start, next.end),
  )
  const state = own.find((words) =>
    /^\W*(?:stopped|ceased|discontinued|withheld|held|on hold|no longer)\b/i.test(words),
  )
  return state === undefined ? '' : ` ${state.trim()} `
}

/** A name alone on its line, its strength on the next. */
function strengthBelow(reading: Reading, segment: Segment, place: number, medicine: NamedMedicine): Strength | null {
  const next = reading.segments[place + 1]
  const isAlone = medicine.from === 0 && medicine.to >= segment.tokens.length - 1
  if (!isAlone || !next || next.kind === 'heading' || next.firstLine !== segment.endLine) return null
  const strength = strengthIn(reading.document.text, next.start, Math.min(next.end, next.start + 20))
  return strength && strength.start - next.start < 2 ? strength : null
}

/** "Take one capsule daily" often stands on the line under the medicine. */
function nextDirections(reading: Reading, segment: Segment, place: number, limit: number): Range | null {
  if (limit !== segment.end) return null
  const next = reading.segments[place + 1]
  if (!next || next.kind === 'heading' || next.firstLine - segment.endLine > 1 || findMedicines(next.tokens).length > 0)
    return null
  return opensDirections(reading, next) ? next : null
}

/** A pharmacy's label prints them over the name; what stands there for the medicine above it is that one's. */
function directionsAbove(reading: Reading, segment: Segment, place: number): Range | null {
  const [above, before] = [reading.segments[place - 1], reading.segments[place - 2]]
  if (!above || above.kind === 'heading' || segment.firstLine - above.endLine > 1 || !opensDirections(reading, above))
    return null
  const isOther = [above, before].some((other) => other && findMedicines(other.tokens).length > 0)
  return isOther ? null : above
}

function opensDirections(reading: Reading, { start }: Range): boolean {
  return /^\s*(?:take|inhale|apply|inject|use|instil|place|give|put|insert|sig|directions|dissolve|chew|swallow|spray|\d+ (?:tab|cap|puff)|one |two )/i.test(
    reading.document.text.slice(start, start + 40),
  )
}
