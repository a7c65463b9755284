/** Doses of vaccine that were given: rows and lists of a record, and sentences that say so. */
import type { FactDetail, FoundFact } from '../document/found-fact.ts'
import { vaccineLexicon } from '../terminology/concepts.ts'
import { findTerms } from '../terminology/lexicon.ts'
import { tokenise } from '../terminology/tokens.ts'
import { assertionOf, findCues } from './context.ts'
import { foundDate, type LabelledDate } from './dated-context.ts'
import { foundFact, isLegible, type Range, type Reading } from './found.ts'
import { bare, wordCount } from './list-items.ts'
import type { Segment } from './segments.ts'
import { cellsByRole, columnOf, hasColumn, type Table, type TableRow } from './table-columns.ts'

const given =
  /\b(?:given|administered|received|had|vaccinated|immuni[sz]ed|completed|today|booster|dose \d|up to date with)\b/i
const vaccineWord = /vaccin|immuni[sz]|booster|\bshot\b|\bjab\b/i
const notGiven =
  /\b(?:due|overdue|recommend\w*|offer(?:ed)?|advis\w+|consider|should|plan\w*|next|needs?|eligible|refus\w+|declin\w+|book\w*)\b/i
const batchPattern = /\b(?:batch|lot)(?:\s?(?:no|number|#))?[.:\s#]*([A-Z0-9-]{4,12})\b/i
const doseNumber = /\b(?:dose|#)\s?(\d)(?:\s?(?:of|\/)\s?\d)?\b|\b(\d)(?:st|nd|rd|th) dose\b/i

export function findImmunisations(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const vaccineTables = tables.filter((table) => isVaccineTable(reading, table))
  const inRows = new Set(vaccineTables.flatMap((table) => table.rows.map((row) => row.place)))
  const segments = reading.segments.filter((segment) => segment.kind !== 'heading' && !inRows.has(segment.firstLine))
  return [
    ...vaccineTables.flatMap((table) => table.rows.flatMap((row) => rowDoses(reading, table, row))),
    ...segments.flatMap((segment) =>
      segment.role.slug === 'immunisations' ? listedDose(reading, segment) : statedDoses(reading, segment),
    ),
  ]
}

function isVaccineTable(reading: Reading, table: Table): boolean {
  if (hasColumn(table, 'vaccine')) return true
  const first = table.rows[0]
  return (
    first !== undefined &&
    reading.roles[first.place]?.role.slug === 'immunisations' &&
    !hasColumn(table, 'medicine', 'test', 'problem')
  )
}

/** One dose per date: cards print a vaccine once and its dates beside it. */
function rowDoses(reading: Reading, table: Table, row: TableRow): FoundFact[] {
  const text = reading.document.text
  const cells = cellsByRole(table, row.line)
  const cell =
    cells.get('vaccine') ??
    row.line.cells.find(
      (candidate) =>
        /\p{L}{2}/u.test(text.slice(candidate.start, candidate.start + candidate.length)) &&
        reading.dates.within(candidate.start, candidate.start + candidate.length).length === 0,
    )
  if (!cell) return []
  const name = vaccineName(reading, { start: cell.start, end: cell.start + cell.length })
  const rowEnd = row.line.start + row.line.length
  const dates = reading.dates.within(row.line.start, rowEnd).filter((date) => {
    const under = row.line.cells.find(
      (candidate) => candidate.start <= date.start && date.end <= candidate.start + candidate.length,
    )
    const heading = under ? columnOf(table, under) : null
    const title = heading ? text.slice(heading.cell.start, heading.cell.start + heading.cell.length) : ''
    return !/due|expir|next|birth/i.test(title)
  })
  if (!name || (dates.length === 0 && !hasColumn(table, 'vaccine'))) return []
  const printed = (role: 'batch' | 'site' | 'provider' | 'dose') => {
    const found = cells.get(role)
    return found ? text.slice(found.start, found.start + found.length).trim() : ''
  }
  const detail = withoutGaps({
    batch: printed('batch'),
    site: printed('site'),
    doseNumber: printed('dose') || doseIn(text.slice(row.line.start, rowEnd)),
  })
  return (dates.length > 0 ? dates : [null]).map((date, order) =>
    doseFact(reading, name, date, {
      ...detail,
      ...(dates.length > 1 ? { doseNumber: String(order + 1) } : {}),
    }),
  )
}

function listedDose(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const printed = text.slice(segment.start, segment.end)
  if (notGiven.test(printed)) return []
  const dates = reading.dates
    .within(segment.start, segment.end)
    .filter((date) => date.label === null || date.label === 'given')
  const matches = findTerms(vaccineLexicon(), segment.tokens, 'any')
  const firstDate = dates[0]
  if (matches.length === 0 && /^[^\n]{2,40}:\s/.test(printed)) return []
  if (matches.length > 1 && dates.length <= 1) return statedDoses(reading, segment)
  const dateFirst = firstDate !== undefined && firstDate.start - segment.start < 4
  if (dates.length === 0 && wordCount(text, segment) > 4) return statedDoses(reading, segment)
  const name = vaccineName(
    reading,
    dateFirst
      ? { start: firstDate.end, end: segment.end }
      : { start: segment.start, end: firstDate?.start ?? segment.end },
  )
  if (!name || (!firstDate && matches.length === 0) || name.end - name.start > 70) return []
  const detail = withoutGaps({ batch: batchPattern.exec(printed)?.[1] ?? '', doseNumber: doseIn(printed) })
  const doses = dates.length > 0 ? dates : [null]
  return doses.map((date) => doseFact(reading, name, date, detail))
}

function statedDoses(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const printed = text.slice(segment.start, segment.end)
  if (!vaccineWord.test(printed) && segment.role.slug !== 'immunisations') return []
  const matches = findTerms(vaccineLexicon(), segment.tokens)
  const cues = findCues(segment.tokens)
  return matches.flatMap((match) => {
    const { status } = assertionOf(segment.tokens, cues, match)
    if (status === 'family' || status === 'other') return []
    const around = text.slice(Math.max(segment.start, match.start - 60), Math.min(segment.end, match.end + 60))
    const isDenied = status === 'negated' || /declin|refus/i.test(around)
    if (!isDenied && (notGiven.test(around) || (!given.test(around) && segment.role.slug !== 'immunisations')))
      return []
    const date = reading.dates
      .within(segment.start, segment.end)
      .find((candidate) => Math.abs(candidate.start - match.end) < 50)
    const contact = /\btoday\b/i.test(around) ? reading.dates.governing(match.start, ['visit', 'document']) : null
    if (isDenied) return [{ ...doseFact(reading, match, null, {}), status: 'negated' as const }]
    const fact = doseFact(reading, match, date ?? null, {})
    return [date || !contact ? fact : { ...fact, date: foundDate(contact, 'given'), strength: 'strong' as const }]
  })
}

function doseFact(reading: Reading, name: Range, date: LabelledDate | null, detail: FactDetail): FoundFact {
  const printed = reading.document.text.slice(name.start, name.end)
  const match = findTerms(vaccineLexicon(), tokenise(printed), 'any')[0]
  return foundFact(reading.document, {
    type: 'immunization',
    name,
    date: date ? foundDate(date, 'given') : null,
    detail,
    // Wherever it stands: the doses of a card differ in nothing else.
    parts: [['date', date]],
    concept: match?.terms[0]?.meaning.concept ?? null,
    strength: date ? 'strong' : 'fair',
  })
}

/** The cell or item without list marks, dose counts and batch numbers. */
function vaccineName(reading: Reading, range: Range): Range | null {
  const text = reading.document.text
  const printed = text.slice(range.start, range.end)
  const stop =
    /\s*(?:[-–,;:]\s*)?(?:\b(?:batch|lot|dose \d|given|administered|site|left arm|right arm|booster \d)\b|\(?\d(?:st|nd|rd|th) dose)/i.exec(
      printed,
    )
  const end = stop && stop.index > 2 ? range.start + stop.index : range.end
  const name = bare(text, { start: range.start, end })
  const words = text.slice(name.start, name.end)
  const isKnown = findTerms(vaccineLexicon(), tokenise(words), 'any').length > 0
  return (isKnown || isLegible(reading, name)) && !/^(?:vaccin|immuni|date|given|nil|none|up to date)/i.test(words)
    ? name
    : null
}

function doseIn(printed: string): string {
  const match = doseNumber.exec(printed)
  return match?.[1] ?? match?.[2] ?? ''
}

function withoutGaps(detail: Record<string, string>): FactDetail {
  return Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== ''))
}
