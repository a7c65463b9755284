/** Numbers and the sex that a document prints of its patient. */
import type { Line } from '../../document/mapped.ts'
import type { Range, Reading } from '../found.ts'

const recordLabels = [
  'MRN',
  'URN',
  'UR(?: (?:no|number))?',
  'medical record(?: (?:no|number))?',
  'patient (?:ID|number|no)',
  'client (?:ID|number|no)',
  'hosp(?:ital)?\\.? (?:no|number|ID)',
  'chart(?: (?:no|number|#))?',
  'record (?:no|number)',
]
/** "ID" alone is the patient's; "Specimen ID", "Provider ID" are not. */
const record = new RegExp(
  `(?:\\b(?:${recordLabels.join('|')})|(?<![\\p{L}\\p{N}] ?)ID)\\.?\\s*[:#\\t ]\\s*#?\\s*([A-Z]{0,4}[\\dA-Z-]{4,14})(?![\\p{L}\\p{N}_])`,
  'iu',
)
const identifiers: readonly (readonly [string, RegExp])[] = [
  [
    'medicare_number',
    /\bMedicare(?: (?:card|number|no))*\.?[:\s#]*([2-6]\d{3}[ -]?\d{5}[ -]?\d(?:\s?[-/]\s?\d)?)(?!\d)/i,
  ],
  ['ihi', /\b(8003\s?6\d{2}\d?\s?\d{4}\s?\d{4,5})(?!\d)/],
  ['mrn', record],
  ['sex', /\b(?:sex|gender)\s*[:\t ]\s*(male|female|M|F|X|non-binary|other)\b/i],
]

export function identifiersOn(reading: Reading, line: Line): (readonly [string, Range])[] {
  const text = reading.document.text.slice(line.start, line.start + line.length)
  return identifiers.flatMap(([kind, pattern]) => {
    const match = pattern.exec(text)
    if (!match?.[1] || (kind === 'mrn' && !/\d/.test(match[1]))) return []
    const start = line.start + match.index + match[0].lastIndexOf(match[1])
    return [[kind, { start, end: start + match[1].length }] as const]
  })
}
