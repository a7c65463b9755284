/** The date that belongs to a condition or procedure: of its row, of its item, or said right behind it. Never a date that is merely near. */
import type { FoundDate } from '../../document/found-fact.ts'
import { foundDate } from './dated-context.ts'
import type { Range, Reading } from '../found.ts'
import type { Segment } from './segments.ts'

const link =
  /^[\s,;(:–-]*(?:(?:first|initially|newly|was|were|originally|last)\s)?(?:diagnosed|dx'?d?|since|onset|from|in|on|noted|dating from|performed|done|at|circa|around|date)?[\s,:(]*(?:in|on|since|at|early|late|mid|about)?[\s(-]*$/i
const itemLink =
  /^[\s,;:(–—-]*(?:(?:first|initially|newly)\s)?(?:diagnosed|dx'?d?|since|onset|from|in|on|noted|performed|done|circa|date|year)?[\s,:.]*(?:in|on|since|date)?[\s(:-]*$/i
const linkBefore = /^\s*(?::|-|–|,)?\s*(?:underwent|had|diagnosed with|he|she|the patient|was)?(?:\s\w+){0,2}\s*$/i

/** "2015 - Prostate cancer" */
export const leadingYear = /^(?:19|20)\d\d\s*[-–—:,]?\s+(?=\p{L})/u

/** Of the row; in an item only what directly follows the name: "ischaemic heart disease - CABG 2014" dates the CABG. */
export function itemDate(reading: Reading, segment: Segment, item: Range, name: Range): FoundDate | null {
  const range = segment.kind === 'row' ? segment : item
  const dates = reading.dates
    .within(range.start, range.end)
    .filter((candidate) => candidate.label !== 'birth' && candidate.label !== 'other')
  const own = segment.kind === 'row' ? dates[0] : dates.find((date) => belongs(reading, name, date))
  return own ? foundDate(own, 'onset') : yearBehind(reading, item, name)
}

function belongs(reading: Reading, name: Range, date: Range): boolean {
  if (date.end <= name.start) return true
  return date.start >= name.end && itemLink.test(reading.document.text.slice(name.end, date.start))
}

/** "Fractured wrist 1998": a year right behind the name dates it; behind the letters of a state it is a postcode. */
function yearBehind(reading: Reading, item: Range, name: Range): FoundDate | null {
  const text = reading.document.text
  const behind = /^[,:]?\s*\(?((?:19|20)\d\d)\)?[\s.]*$/.exec(text.slice(name.end, item.end))?.[1]
  const year = behind ?? leadingYear.exec(text.slice(item.start, name.start + 1))?.[0].slice(0, 4)
  if (year === undefined || /\b(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT)$/.test(text.slice(name.start, name.end))) return null
  return { iso: year, printed: year, meaning: 'onset', certainty: 'printed' }
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
