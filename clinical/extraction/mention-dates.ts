/** The date that belongs to a condition or procedure: of its row, of its item, or said right behind it. Never a date that is merely near. */
import type { FoundDate } from '../document/found-fact.ts'
import { foundDate } from './dated-context.ts'
import type { Range, Reading } from './found.ts'
import type { Segment } from './segments.ts'

const link =
  /^[\s,;(:–-]*(?:(?:first|initially|newly|was|were|originally|last)\s)?(?:diagnosed|dx'?d?|since|onset|from|in|on|noted|dating from|performed|done|at|circa|around|date)?[\s,:(]*(?:in|on|since|at|early|late|mid|about)?[\s(-]*$/i
const linkBefore = /^\s*(?::|-|–|,)?\s*(?:underwent|had|diagnosed with|he|she|the patient|was)?(?:\s\w+){0,2}\s*$/i

export function itemDate(reading: Reading, segment: Segment, item: Range): FoundDate | null {
  const range = segment.kind === 'row' ? segment : item
  const date = reading.dates
    .within(range.start, range.end)
    .find((candidate) => candidate.label !== 'birth' && candidate.label !== 'other')
  return date ? foundDate(date, 'onset') : yearAtEnd(reading, item)
}

/** "Fractured wrist 1998": a year that ends an item dates it; after capitals it is a postcode. */
function yearAtEnd(reading: Reading, item: Range): FoundDate | null {
  const match = /(?<=\p{Ll}[,:]?\s)((?:19|20)\d\d)$/u.exec(reading.document.text.slice(item.start, item.end))
  const year = match?.[1]
  return year === undefined ? null : { iso: year, printed: year, meaning: 'onset', certainty: 'printed' }
}

export function statedDate(
  reading: Reading,
  segment: Segment,
  match: Range,
  meaning: FoundDate['meaning'] = 'onset',
): FoundDate | null {
  const text = reading.document.text
  const dates = reading.dates
    .within(segment.start, segment.end)
    .filter((date) => date.label !== 'birth' && date.label !== 'other')
  const behind = dates.find(
    (date) => date.start >= match.end && date.start - match.end < 70 && linked(text.slice(match.end, date.start)),
  )
  if (behind) return foundDate(behind, meaning)
  const ahead = dates.findLast(
    (date) =>
      date.end <= match.start &&
      match.start - date.end < 30 &&
      linkBefore.test(text.slice(date.end, match.start)) &&
      date.start - segment.start < 12,
  )
  return ahead ? foundDate(ahead, meaning) : null
}

/** A site may stand between ("fracture of the left hip in 2015"), another finding may not. */
function linked(between: string): boolean {
  return link.test(
    between.replace(/^\s+(?:of|in|to)\s+(?:the\s)?(?:\w+\s){0,3}?(?=(?:in|on|since|\(|first|diagnosed))/i, ' '),
  )
}
