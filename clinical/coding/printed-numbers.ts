/** Numbers and ranges as reports print them. What does not parse whole stays text. */
export type PrintedNumber = {
  readonly value: number
  readonly comparator: '<' | '<=' | '>' | '>=' | null
}

export type PrintedRange = { readonly low: number | null; readonly high: number | null }

const number = String.raw`[-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-−]?\d+(?:\.\d+)?`
const comparators = { '<': '<', '<=': '<=', '≤': '<=', '>': '>', '>=': '>=', '≥': '>=' } as const

const wholeNumber = new RegExp(`^(<=|>=|[<>≤≥])?\\s*(${number})$`)
const bothEnds = new RegExp(`^\\(?\\[?\\s*(${number})\\s*(?:-|–|—|to)\\s*(${number})`, 'i')
const upTo = new RegExp(`^\\(?\\[?\\s*(?:<=?|≤|up to|less than|below)\\s*(${number})`, 'i')
const from = new RegExp(`^\\(?\\[?\\s*(?:>=?|≥|more than|greater than|above|over)\\s*(${number})`, 'i')

export function parseNumber(printed: string | null): PrintedNumber | null {
  const match = wholeNumber.exec(printed?.trim() ?? '')
  if (match === null) return null
  return { value: toNumber(match[2]), comparator: isComparator(match[1]) ? comparators[match[1]] : null }
}

export function parseRange(printed: string | null): PrintedRange | null {
  const text = printed?.trim() ?? ''
  const ends = bothEnds.exec(text)
  if (ends !== null) return orderedRange(toNumber(ends[1]), toNumber(ends[2]))
  const high = upTo.exec(text)
  if (high !== null) return { low: null, high: toNumber(high[1]) }
  const low = from.exec(text)
  return low === null ? null : { low: toNumber(low[1]), high: null }
}

/** A range that runs backwards was misread; it says nothing. */
const orderedRange = (low: number, high: number): PrintedRange | null => (low <= high ? { low, high } : null)

const toNumber = (text = '') => Number(text.replaceAll(',', '').replace('−', '-'))

const isComparator = (text: string | undefined): text is keyof typeof comparators =>
  text !== undefined && text in comparators
