/** The date of an answered fact: the one that was said, where the rules read it as this fact's too; else what governs its place. */
import type { FactType, FoundDate, Span } from '../../clinical/document/found-fact.ts'
import type { ClaimReader } from '../../clinical/extraction/claims/claims.ts'
import { foundDate, type DateLabel, type LabelledDate } from '../../clinical/extraction/statements/dated-context.ts'
import type { Range } from '../../clinical/extraction/found.ts'
import { readingDate } from '../../clinical/extraction/results/reading-fact.ts'
import type { Segment } from '../../clinical/extraction/statements/segments.ts'
import type { AnsweredFact } from '../providers/ai/provider.ts'
import { alignQuote } from './align-quote.ts'
import { spanOf } from './answered-parts.ts'

type Dated = {
  readonly said: AnsweredFact
  readonly type: FactType
  readonly name: Range
  readonly segment: Segment | null
  readonly around: Range
}

export function dateOf(
  reader: ClaimReader,
  dated: Dated,
): { readonly found: FoundDate; readonly span: Span | null } | null {
  const own = saidDate(reader, dated)
  if (own !== null) return { found: foundDate(own, meaningOf(dated.type, own.label)), span: spanOf('date', own) }
  if (dated.type !== 'lab_result' && dated.type !== 'vital_sign') return null
  // The date of the sample or the visit governs what was measured, wherever it is printed.
  const governing = readingDate(reader.reading, dated.name, dated.segment)
  return governing === null ? null : { found: governing, span: null }
}

const meanings: { readonly [Type in FactType]?: FoundDate['meaning'] } = {
  lab_result: 'collected',
  vital_sign: 'collected',
  condition: 'onset',
  immunization: 'given',
  procedure: 'performed',
  medication: 'started',
  encounter: 'visit',
  identity: 'birth',
}

function meaningOf(type: FactType, label: DateLabel | null): FoundDate['meaning'] {
  if (type === 'medication' && label === 'stopped') return 'stopped'
  if ((type === 'lab_result' || type === 'vital_sign') && label === 'reported') return 'reported'
  return meanings[type] ?? 'document'
}

/** Labels that make a date another thing's. What labels nothing may be any fact's beside it. */
const foreign: { readonly [Type in FactType]?: ReadonlySet<DateLabel> } = {
  identity: new Set(['other', 'collected', 'reported', 'visit', 'document', 'admitted', 'discharged']),
  encounter: new Set(['birth', 'other', 'collected', 'reported', 'onset', 'started', 'stopped', 'given']),
  lab_result: new Set(['birth', 'other', 'stopped', 'started', 'onset', 'given']),
  vital_sign: new Set(['birth', 'other', 'stopped', 'started', 'onset', 'given']),
}
const foreignElsewhere: ReadonlySet<DateLabel> = new Set([
  'birth',
  'other',
  'reported',
  'collected',
  'document',
  'visit',
])

function saidDate({ reading }: ClaimReader, { said, type, around }: Dated): LabelledDate | null {
  if (said.date === null) return null
  const place = alignQuote(reading.document.text, said.date, around.start, around.end)
  if (place === null || place.exactness !== 'exact') return null
  const [date] = reading.dates
    .within(around.start, around.end)
    .filter(({ start, end }) => start < place.end && place.start < end)
  if (date === undefined) return null
  if (date.label === null) return date
  return (foreign[type] ?? foreignElsewhere).has(date.label) ? null : date
}
