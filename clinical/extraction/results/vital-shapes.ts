/** Measurements that are not one number and a unit: feet with inches, pounds with ounces, ranges of an estimate, a row of blood pressures. */
import { emptyValues, type RowValues } from './row-values.ts'
import { matchUnit, unitOf } from '../../terminology/units.ts'

type Shape = {
  readonly concept: string
  readonly pattern: RegExp
  readonly isPossible: (parts: readonly number[]) => boolean
}

const shapes: readonly Shape[] = [
  {
    concept: 'body-height',
    pattern:
      /^(\d)\s?(?:'|’|′|ft\.?|feet|foot)(?:\s?,?\s?(?:and )?(\d{1,2}(?:\.\d+)?|\d{1,2}\s?[½¼¾])\s?(?:"|”|″|''|’’|in(?:ches|\.)?(?!\p{L})))?(?![\d'])/iu,
    isPossible: ([feet = 0, inches = 0]) => feet >= 1 && feet <= 8 && inches < 12,
  },
  {
    concept: 'body-weight',
    pattern: /^(\d{1,3})\s?(?:lbs?|pounds?|#)\.?,?\s?(?:and )?(\d{1,2}(?:\.\d+)?)\s?(?:oz|ounces?)\b\.?/i,
    isPossible: ([pounds = 0, ounces = 0]) => pounds <= 600 && ounces < 16,
  },
  {
    concept: 'body-weight',
    pattern:
      /^(\d{1,2})\s?(?:st|stones?)\b\.?(?:,?\s?(?:and )?(\d{1,2}(?:\.\d+)?|\d{1,2}\s?[½¼¾])\s?(?:lbs?|pounds?)\b\.?)?/i,
    isPossible: ([stones = 0, pounds = 0]) => stones >= 1 && stones <= 60 && pounds < 14,
  },
  {
    concept: 'birth-weight',
    pattern: /^(\d{1,2})\s?(?:lbs?|pounds?)\.?,?\s?(?:and )?(\d{1,2}(?:\.\d+)?)\s?(?:oz|ounces?)\b\.?/i,
    isPossible: ([pounds = 0, ounces = 0]) => pounds <= 15 && ounces < 16,
  },
  {
    concept: 'left-ventricular-ejection-fraction',
    pattern: /^(\d{1,2})\s?%?\s?(?:-|–|to)\s?(\d{1,2})(?=\s?(?:%|percent))/i,
    isPossible: ([low = 0, high = 0]) => low >= 5 && low < high && high <= 90,
  },
]

/** "22/30": of so many points. */
const ofPoints = /^(\d{1,3}(?:\.5)?)\s?\/\s?(\d{1,3})(?![\d/])/

/** Scores are printed beside the most that there is to score. */
export function readScore(text: string, from: number, limit: number): RowValues | null {
  const match = ofPoints.exec(text.slice(from, Math.min(limit, from + 10)))
  // "6/10" has a unit of its own.
  if (!match || Number(match[1]) > Number(match[2]) || unitOf(`/${match[2]}`) !== null) return null
  const end = from + match[0].length
  return { ...emptyValues(end), value: { start: from, end, printed: match[0], number: null, comparator: null } }
}

/** What stands at `from` in a shape that only this observation is printed in; null where it does not. */
export function readShape(text: string, from: number, limit: number, concept: string): RowValues | null {
  for (const shape of shapes) {
    if (concept !== `observations:${shape.concept}`) continue
    const match = shape.pattern.exec(text.slice(from, Math.min(limit, from + 24)))
    if (
      !match ||
      !shape.isPossible(match.slice(1).flatMap((part) => (part === undefined ? [] : [Number.parseFloat(part)])))
    )
      continue
    const printed = match[0].trim()
    const end = from + printed.length
    const unit = shape.concept === 'left-ventricular-ejection-fraction' ? matchUnit(text, end, limit) : null
    return {
      ...emptyValues(end),
      value: { start: from, end, printed, number: null, comparator: null },
      unit: unit ? { ...unit, printed: text.slice(unit.start, unit.end) } : null,
    }
  }
  return null
}

const between =
  /^(?:\s|mm ?Hg|\([^)\n]{0,24}\)|[,;:=(]|→|->|\b(?:and|then|with|in|on|the|was|is|to|lying|standing|sitting|supine|seated|erect|repeat(?:ed)?|re-?check(?:ed)?|later|left|right|arm|[LR]|manual(?:ly)?|automated|after|at|\d+ ?min(?:ute)?s?)\b)+/i
const mostOfALine = 6

/** "150/90 lying, 130/80 standing": every pressure of the row is a reading of its own. */
export function readPressures(text: string, from: number, limit: number): RowValues[] {
  const read: RowValues[] = []
  let at = from
  while (read.length < mostOfALine) {
    const values = readPressure(text, at, limit)
    if (!values?.value) return read
    read.push(values)
    const end = values.unit?.end ?? values.end
    const link = between.exec(text.slice(end, Math.min(limit, end + 60)))?.[0] ?? ''
    if (link.trim() === '') return read
    at = end + link.length
  }
  return read
}

/** "6/7.5-2", "20/40", "CF": what an eye chart gives. */
export function readAcuity(text: string, from: number, to: number): RowValues | null {
  const match = /^\s*((?:6|20|3|4|1)\/\d{1,3}(?:\.\d)?(?:\s?[+-]\s?\d)?|N\d{1,2}|CF|HM|N?PL|NLP)(?![\w/])/.exec(
    text.slice(from, Math.min(to, from + 16)),
  )
  if (!match?.[1]) return null
  const start = from + match[0].indexOf(match[1])
  const end = start + match[1].length
  return { ...emptyValues(end), value: { start, end, printed: match[1], number: null, comparator: null } }
}

/** Systolic over diastolic, only where both are possible. */
export function readPressure(text: string, from: number, to: number): RowValues | null {
  const match = /^\s*(\d{2,3})(?:\s?\/\s?| over )(\d{2,3})(?![\d/])/.exec(text.slice(from, Math.min(to, from + 20)))
  if (!match) return null
  const [systolic, diastolic] = [Number(match[1]), Number(match[2])]
  if (systolic < 50 || systolic > 290 || diastolic < 20 || diastolic > 180 || diastolic >= systolic) return null
  const printed = match[0].trim()
  const start = from + match[0].indexOf(printed)
  const end = start + printed.length
  const value = { start, end, printed: printed.replace(' over ', '/'), number: null, comparator: null }
  const unit = matchUnit(text, end, to)
  const isPressure = unit?.unit.dimension === 'pressure'
  return {
    ...emptyValues(end),
    value,
    unit: isPressure ? { ...unit, printed: text.slice(unit.start, unit.end) } : null,
  }
}
