/** Measured values as printed: comparator, figures, and what may stand in for figures. */
import type { FactDetail } from '../../document/found-fact.ts'

export type PrintedNumber = {
  readonly start: number
  readonly end: number
  readonly printed: string
  readonly number: number
  readonly comparator: NonNullable<FactDetail['comparator']> | null
}

const numberPattern =
  /(?<![\w.,/:])(<=|>=|≤|≥|<|>|(?:less|greater|more) than\b)?\s?((?:(?<=(?:^|[\s(]))[-−](?=\d))?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,7}(?:\.\d{1,5})?))(?![\d:]|,\d{3}|\.\d)/y
const rangePattern =
  /(?<![\d.,])[([]?\s?(?:(?:ref(?:erence)?(?: (?:range|interval))?|rr|normal(?: range)?|range|nr)[:\s]+)?(?:(\d+(?:\.\d+)?)\s?(?:-|–|—|to)\s?(\d+(?:\.\d+)?)|((?:<=|>=|≤|≥|<|>)\s?\d+(?:\.\d+)?|(?:up to|less than|greater than|more than|under|over)\s\d+(?:\.\d+)?))(?![\d/])/iy

export function numberAt(text: string, at: number): PrintedNumber | null {
  numberPattern.lastIndex = at
  const match = numberPattern.exec(text)
  if (!match) return null
  const printed = match[0].trim()
  const start = at + match[0].indexOf(printed)
  return {
    start,
    end: at + match[0].length,
    printed,
    number: Number((match[2] ?? '').replace(/,/g, '').replace('−', '-')),
    comparator: comparatorOf(match[1]),
  }
}

export type PrintedRange = {
  readonly start: number
  readonly end: number
  readonly printed: string
  readonly isClosed: boolean
}

export function rangeAt(text: string, at: number): PrintedRange | null {
  rangePattern.lastIndex = at
  const match = rangePattern.exec(text)
  if (!match) return null
  if (match[1] !== undefined && Number(match[1]) > Number(match[2])) return null
  const core = match[1] === undefined ? (match[3] ?? '') : match[0].slice(match[0].search(/\d/))
  const start = at + match[0].length - core.length
  return { start, end: start + core.length, printed: core, isClosed: match[1] !== undefined }
}

function comparatorOf(sign: string | undefined): PrintedNumber['comparator'] {
  if (sign === '≤' || sign === '<=') return '<='
  if (sign === '≥' || sign === '>=') return '>='
  if (sign === 'less than' || sign === '<') return '<'
  return sign === undefined ? null : '>'
}
