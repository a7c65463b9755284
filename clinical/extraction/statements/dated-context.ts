/** Which date governs a place in the document: dates with a printed label ("Collected", "Date of visit") hold until the next one of their kind. */
import { dateOrderOf, findDates, type PrintedDate } from '../../document/dates.ts'
import type { FoundDate } from '../../document/found-fact.ts'
import type { Line, MappedDocument } from '../../document/mapped.ts'
import { firstNotBefore } from '../../document/places.ts'
import { entryReader, type Entry } from './entry-dates.ts'
import { roleOf } from './section-role.ts'

export type DateLabel =
  | 'birth'
  | 'collected'
  | 'reported'
  | 'admitted'
  | 'discharged'
  | 'visit'
  | 'examined'
  | 'document'
  | 'started'
  | 'stopped'
  | 'given'
  | 'onset'
  | 'other'

export type LabelledDate = PrintedDate & {
  readonly label: DateLabel | null
  readonly line: number
  /** What opens the entry of a running history that this date leads. */
  readonly entry: Entry | null
}

const labels: readonly (readonly [DateLabel, RegExp])[] = [
  ['birth', /\b(d\.?o\.?b\.?|date of birth|birth ?date|born|birth)\b/gi],
  [
    'other',
    /\b(expir\w*|exp|due|next|valid|received|requested|request date|referral date|referred|printed|print date|deceased|approved|registered|last (?:menstrual|dose)|lmp|follow[- ]?up|recall|repeat|booked|scheduled)\b/gi,
  ],
  [
    'collected',
    /\b(collect(?:ed|ion)|drawn|sampled?|specimen (?:date|taken)|taken|date of test|test date|date tested)\b/gi,
  ],
  [
    'admitted',
    /\b(admi(?:tted|ssion|t)(?: date)?|date of admission|doa|hospitali[sz](?:ed|ations?)|(?:inpatient|hospital) stay)\b/gi,
  ],
  ['discharged', /\b(discharged?|separation|separated|dod)\b/gi],
  [
    'examined',
    /\b(exam(?:ination)?(?: date)?|study|scan(?:ned)?|performed|procedure|operation|surgery|imaging)\b(?: date)?/gi,
  ],
  [
    'visit',
    /\b(visit|seen|saw|assessed|consult(?:ation|ed)?|(?<!(?:follow-?\s?up|next|new|review)\s)appointment|encounter|date of service|service date|dos|attend(?:ed|ance)|arriv(?:al|ed)|review(?:ed)?|presented|presentation|clinic)\b/gi,
  ],
  [
    'reported',
    /\b(report(?:ed)?|authori[sz]ed|validated|finali[sz]ed|dictated|signed|verified|result(?:ed)?|issued)\b/gi,
  ],
  ['started', /\b(start(?:ed)?|commenced|begun|began|initiated|prescribed|since)\b/gi],
  ['stopped', /\b(ceased|stopped|discontinued|ended|end date|stop)\b/gi],
  ['given', /\b(given|administered|vaccinated|immuni[sz]ed|dose date)\b/gi],
  ['onset', /\b(onset|diagnosed|diagnosis date|date of diagnosis|noted)\b/gi],
  ['document', /\b(date|dated|updated|prepared|letter|as at|as of|current at|created|generated|last update)\b/gi],
]

export type DatedContext = {
  readonly dates: readonly LabelledDate[]
  /** Printed dates that lie in [start, end). */
  readonly within: (start: number, end: number) => LabelledDate[]
  readonly covers: (offset: number) => boolean
  /** The last date before `offset` with one of the labels; else the first of them after it. */
  readonly governing: (offset: number, wanted: readonly DateLabel[]) => LabelledDate | null
}

export function readDates(document: MappedDocument): DatedContext {
  const order = dateOrderOf(document)
  const printed = findDates(document.text, order)
  const entryOf = entryReader(document)
  const dates = document.lines.flatMap((line, place) => {
    const from = firstNotBefore(printed, (date) => date.start < line.start)
    const to = firstNotBefore(printed, (date) => date.start < line.start + line.length)
    return labelDatesOf(document, line, place, printed.slice(from, to)).map((date) => withEntry(entryOf, place, date))
  })
  return {
    dates,
    within: (start, end) =>
      dates.slice(
        firstNotBefore(dates, (date) => date.start < start),
        firstNotBefore(dates, (date) => date.start < start || date.end <= end),
      ),
    covers: (offset) => (dates[firstNotBefore(dates, (date) => date.end <= offset)]?.start ?? Infinity) <= offset,
    governing: governingAmong(dates),
  }
}

/** Few sets of labels are asked for, each many times. */
function governingAmong(dates: readonly LabelledDate[]): DatedContext['governing'] {
  const byLabels = new Map<string, readonly LabelledDate[]>()
  return (offset, wanted) => {
    const key = wanted.join(' ')
    const fitting =
      byLabels.get(key) ??
      dates.filter((date) => date.label !== null && wanted.includes(date.label) && date.iso.length === 10)
    byLabels.set(key, fitting)
    return fitting[firstNotBefore(fitting, (date) => date.start <= offset) - 1] ?? fitting[0] ?? null
  }
}

export function foundDate(date: PrintedDate, meaning: FoundDate['meaning']): FoundDate {
  return { iso: date.iso, printed: date.printed, meaning, certainty: date.certainty }
}

function labelDatesOf(
  document: MappedDocument,
  line: Line,
  place: number,
  dates: readonly PrintedDate[],
): LabelledDate[] {
  const inTable = line.kind === 'table_row' || line.kind === 'table_header'
  let from = line.start
  return dates.map((date) => {
    const before = document.text.slice(Math.max(from, date.start - 60), date.start)
    const said = inTable ? cellLabel(before) : (labelIn(before) ?? standAlone(document, line, place, date))
    const isComing =
      (said === null || said === 'visit' || said === 'document' || said === 'examined') && isAhead(document, line)
    const label = isComing ? 'other' : said
    from = date.end
    return { ...date, label, line: place, entry: null }
  })
}

/** A date that leads an entry is the day of the contact, whatever else its line would make of it. */
function withEntry(entryOf: ReturnType<typeof entryReader>, place: number, date: LabelledDate): LabelledDate {
  const isOpen = date.label === null || date.label === 'document' || date.label === 'visit'
  const entry = isOpen ? entryOf(place, date) : null
  return entry ? { ...date, label: 'visit', entry } : date
}

/** In a table only a cell that is nothing but a label speaks for the date beside it; "Colonoscopy examination" does not. */
function cellLabel(before: string): DateLabel | null {
  const cell = before.trimEnd().split('\t').at(-1)?.trim() ?? ''
  const label = cell.split(/\s+/).length <= 4 ? labelIn(cell) : null
  return label !== null && governingLabels.has(label) ? label : null
}

const governingLabels: ReadonlySet<DateLabel> = new Set([
  'birth',
  'other',
  'collected',
  'reported',
  'admitted',
  'discharged',
  'document',
])

/** Dates of appointments to come govern nothing. */
function isAhead(document: MappedDocument, line: Line): boolean {
  const { heading = null, slug = null } = document.sections[line.section] ?? {}
  return ['follow-up', 'plan', 'discharge-instructions'].includes(roleOf(heading, slug).slug ?? '')
}

/** The nearest label to the left wins; "report date" is a report's date, because the plain word "date" is tried last. */
function labelIn(printed: string): DateLabel | null {
  // The stops of "D.O.B. 4/11/1961" end no clause.
  const before = printed.replace(/\bD\.\s?O\.\s?B\.?(?!\w)/gi, 'DOB')
  const clause = before.slice(Math.max(before.lastIndexOf('. ') + 1, before.lastIndexOf(';') + 1))
  const hits = labels.flatMap(([label, pattern], rank) =>
    Array.from(clause.matchAll(pattern), (match) => ({ label, end: match.index + match[0].length, rank })),
  )
  const specific = hits.filter((hit) => hit.label !== 'document')
  const nearest = (specific.length > 0 ? specific : hits).toSorted((a, b) => b.end - a.end || a.rank - b.rank)[0]
  return nearest?.label ?? null
}

/** A line that is nothing but a date, high on the first page, dates the letter. */
function standAlone(document: MappedDocument, line: Line, place: number, date: PrintedDate): DateLabel | null {
  const rest = document.text.slice(line.start, line.start + line.length).replace(date.printed, '')
  const isAlone = rest.replace(/[\s,.:|-]|mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun|day/gi, '') === ''
  return isAlone && line.page === 1 && place < 25 && date.iso.length === 10 ? 'document' : null
}
