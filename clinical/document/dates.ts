/**
 * Dates as health documents print them. A month's name settles the order of day and month; in figures alone the order
 * comes from the other dates of the document and then from its locale.
 */
import type { FoundDate } from './found-fact.ts'
import type { MappedDocument } from './mapped.ts'

export type PrintedDate = {
  readonly start: number
  readonly end: number
  readonly iso: string
  readonly printed: string
  readonly certainty: FoundDate['certainty']
}
export type DateOrder = { readonly first: 'day' | 'month'; readonly certainty: 'locale' | 'ambiguous' }

type Parts = { year: number; month?: number; day?: number }
type Shape = { pattern: RegExp; read: (groups: readonly string[], order: DateOrder) => Parts | null }

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const month =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?'
const longYear = '((?:19|20)\\d\\d)'

const shapes: readonly Shape[] = [
  { pattern: /(?<![\d/.-])((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?![\d/])/g, read: ([y, m, d]) => parts(y, m, d) },
  {
    pattern:
      /(?<![\d/.])(?<!(?<!\/\d{2}|\/\d{4})-)(\d{1,2})[ ]?([/.-])[ ]?(\d{1,2})[ ]?\2[ ]?(\d{4}|\d\d)(?![\d/]|\.\d)/g,
    read: ([a, , b, y], order) => inFigures(a, b, y, order),
  },
  {
    pattern: new RegExp(
      `(?<![\\d/.])(\\d{1,2})(?:st|nd|rd|th)?(?:[ \\n-]|\\s+of\\s+)${month}[ \\n,-]{1,2}${longYear}(?!\\d)`,
      'gi',
    ),
    read: ([d, m, y]) => parts(y, monthNumber(m), d),
  },
  {
    pattern: new RegExp(`(?<![\\d/.])(\\d{2})${month}${longYear}(?!\\d)`, 'gi'),
    read: ([d, m, y]) => parts(y, monthNumber(m), d),
  },
  {
    pattern: new RegExp(`(?<![\\d/.])(\\d{1,2})[ -]${month}[ -](\\d\\d)(?![\\d:/])`, 'gi'),
    read: ([d, m, y]) => parts(fullYear(y), monthNumber(m), d),
  },
  {
    pattern: new RegExp(`\\b${month}[ \\n-](\\d{1,2})(?:st|nd|rd|th)?[ \\n,]{1,2}${longYear}(?!\\d)`, 'gi'),
    read: ([m, d, y]) => parts(y, monthNumber(m), d),
  },
  {
    pattern: new RegExp(`\\b${month}(?:[ \\n-]|,\\s|\\s+of\\s+)${longYear}(?!\\d)`, 'gi'),
    read: ([m, y]) => parts(y, monthNumber(m)),
  },
  { pattern: /(?<![\d/.-])(\d{1,2})[/-]((?:19|20)\d\d)(?![\d/-])/g, read: ([m, y]) => parts(y, m) },
]

/** A year alone is a date only where its neighbours say so: "(2010)", "in 2010", "since 2010", "2010:". */
const yearAlone =
  /(?<=[(\t]|\b(?:in|since|from|circa|c\.|early|late|mid|of|year)[ \n-])((?:19|20)\d\d)(?![\d/.-]\d|\d)/gi

export function findDates(text: string, order: DateOrder, from = 0, to = text.length): PrintedDate[] {
  const slice = text.slice(from, to)
  const found: PrintedDate[] = []
  const taken = new Set<number>()
  for (const shape of [...shapes, { pattern: yearAlone, read: ([y]: readonly string[]) => parts(y) }]) {
    for (const match of slice.matchAll(shape.pattern)) {
      const read = shape.read(match.slice(1), order)
      const date = read && isReal(read) ? printedDate(match[0], from + match.index, read, order) : null
      if (!date || placesOf(date).some((place) => taken.has(place))) continue
      found.push(date)
      for (const place of placesOf(date)) taken.add(place)
    }
  }
  return found.toSorted((a, b) => a.start - b.start)
}

const dayAndMonth = new RegExp(
  `(?<![\\d/.])(?:(\\d{1,2})(?:st|nd|rd|th)?(?: of)?[ \\n]${month}|\\b${month} (\\d{1,2})(?:st|nd|rd|th)?)(?![\\p{L}\\d]|[ ,]{1,2}(?:19|20)\\d\\d|[ ,'’-]{1,2}\\d\\d\\b(?!\\s?[%\\p{L}]))`,
  'giu',
)

/** "5 August" of a document that was written on `written`: the nearest such day that was not after it. */
export function findYearless(text: string, from: number, to: number, written: string): PrintedDate[] {
  return Array.from(text.slice(from, to).matchAll(dayAndMonth)).flatMap((match) => {
    const start = from + match.index
    const last = Number(written.slice(0, 4))
    const read = [last, last - 1]
      .map((year) => parts(year, monthNumber(match[2] ?? match[3]), match[1] ?? match[4]))
      .find((date) => isReal(date) && isoOf(date) <= written)
    if (!read || written.length < 10) return []
    return [{ start, end: start + match[0].length, iso: isoOf(read), printed: match[0], certainty: 'locale' as const }]
  })
}

function placesOf({ start, end }: PrintedDate): number[] {
  return Array.from({ length: end - start }, (_, place) => start + place)
}

/** The order that the document's own unmistakable dates show; its locale where there are none. Both kinds = ambiguous. */
export function dateOrderOf(document: Pick<MappedDocument, 'text' | 'locale'>): DateOrder {
  let dayFirst = 0
  let monthFirst = 0
  for (const match of document.text.matchAll(/(?<![\d/.])(\d{1,2})\/(\d{1,2})\/(?:\d{4}|\d\d)(?!\d)/g)) {
    if (Number(match[1]) > 12 && Number(match[2]) <= 12) dayFirst += 1
    if (Number(match[2]) > 12 && Number(match[1]) <= 12) monthFirst += 1
  }
  const byLocale = document.locale === 'en-US' ? 'month' : 'day'
  if (dayFirst > 0 && monthFirst > 0) return { first: byLocale, certainty: 'ambiguous' }
  if (dayFirst > 0) return { first: 'day', certainty: 'locale' }
  if (monthFirst > 0) return { first: 'month', certainty: 'locale' }
  return { first: byLocale, certainty: 'locale' }
}

function inFigures(a = '', b = '', year = '', order: DateOrder): Parts | null {
  const y = year.length === 2 ? fullYear(year) : year
  if (Number(a) > 12) return parts(y, b, a)
  if (Number(b) > 12) return parts(y, a, b)
  return order.first === 'day' ? parts(y, b, a) : parts(y, a, b)
}

function printedDate(printed: string, start: number, read: Parts, order: DateOrder): PrintedDate {
  const figures = /^\d{1,2}\s?[/.-]\s?\d{1,2}\s?[/.-]/.test(printed)
  const isSettled = !figures || (read.day ?? 0) > 12 || read.day === read.month
  return {
    start,
    end: start + printed.length,
    iso: isoOf(read),
    printed,
    certainty: isSettled ? 'printed' : order.certainty,
  }
}

function isoOf({ year, month: m, day }: Parts): string {
  return [
    String(year),
    ...[m, day].filter((part) => part !== undefined).map((part) => String(part).padStart(2, '0')),
  ].join('-')
}

function parts(year?: string | number, m?: string | number, day?: string | number): Parts {
  return {
    year: Number(year),
    ...(m === undefined ? {} : { month: Number(m) }),
    ...(day === undefined ? {} : { day: Number(day) }),
  }
}

function isReal({ year, month: m, day }: Parts): boolean {
  if (year < 1900 || year > 2100) return false
  if (m !== undefined && (m < 1 || m > 12)) return false
  return day === undefined || m === undefined || (day >= 1 && day <= new Date(Date.UTC(year, m, 0)).getUTCDate())
}

function monthNumber(name = ''): number {
  return monthNames.indexOf(name.slice(0, 3).toLowerCase()) + 1
}

/** Two figures: people who are alive were born from 1930 on, or write of this century. */
function fullYear(year = ''): number {
  return Number(year) + (Number(year) > 35 ? 1900 : 2000)
}
