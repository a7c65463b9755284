/** A dose as a certificate prints it: one thing a line, each behind its label ("Vaccine: Spikevax", "Date of vaccination: 2021-06-21"). */
import type { FoundFact } from '../../document/found-fact.ts'
import { findVaccines, vaccineCourse } from '../../terminology/vaccine-words.ts'
import { tokenise } from '../../terminology/tokens.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import { trimmed, type Range, type Reading } from '../found.ts'
import type { Segment } from '../statements/segments.ts'
import { deniedDose, doseFact, vaccineName, withoutGaps } from './vaccine-dose.ts'

type Field = 'vaccine' | 'disease' | 'date' | 'batch' | 'dose' | 'site' | 'manufacturer' | 'state' | 'other'
const fields: readonly (readonly [Field, RegExp])[] = [
  ['other', /\b(?:birth|expir\w*|exp|next|due|issued?|valid\w*|printed|name of (?:patient|person|child))\b/i],
  ['disease', /\b(?:disease|agent) (?:targeted|or)|target(?:ed)? disease|disease$|antigen/i],
  [
    'date',
    /\bdate\b.*(?:vaccin|immuni|given|admin|dose)|(?:vaccination|administration|immuni[sz]ation) date|^date(?: given)?$|^given(?: on)?$/i,
  ],
  ['batch', /\b(?:batch|lot)\b/i],
  ['dose', /\bdose\b|number in (?:a )?series/i],
  ['site', /\bsite\b/i],
  ['manufacturer', /manufacturer|marketing auth|\bmaker\b/i],
  ['state', /^(?:status|outcome)$/i],
  [
    'vaccine',
    /^(?:covid-?19 )?(?:vaccine|vaccination|immuni[sz]ation|vaccine (?:name|product|type|brand|given|administered)|(?:medicinal )?product(?: name)?|brand(?: name)?|vaccine ?\/ ?prophylaxis)(?: name| given| received)?$/i,
  ],
]
const longestCard = 14

type Entry = { readonly field: Field; readonly value: Range; readonly segment: Segment }
export type Cards = { readonly facts: readonly FoundFact[]; readonly segments: ReadonlySet<Segment> }

export function doseCards(reading: Reading): Cards {
  const facts: FoundFact[] = []
  const segments = new Set<Segment>()
  const entries = reading.segments.map((segment) => entryOf(reading, segment))
  for (let place = 0; place < entries.length; place += 1) {
    const entry = entries[place]
    if (entry?.field !== 'vaccine' && entry?.field !== 'disease') continue
    const card = cardFrom(entries, place)
    const fact = factOf(reading, card)
    if (!fact) continue
    facts.push(fact)
    for (const { segment } of card) segments.add(segment)
    place += card.length - 1
  }
  return { facts, segments }
}

function entryOf(reading: Reading, segment: Segment): Entry | null {
  if (segment.kind === 'heading') return null
  const printed = reading.document.text.slice(segment.start, segment.end)
  const match = /^\s*([^:\t\n]{3,45}?)\s*(?::|\t)\s*(?=\S)/.exec(printed)
  if (match?.[1] === undefined) return null
  const label = match[1]
    .replace(/\([^)]*\)/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  const field = fields.find(([, pattern]) => pattern.test(label))?.[0] ?? 'other'
  const value = trimmed(reading.document.text, { start: segment.start + match[0].length, end: segment.end })
  return { field, value, segment }
}

/** Until a field comes again, or a line that is no pair. */
function cardFrom(entries: readonly (Entry | null)[], from: number): Entry[] {
  const seen = new Set<Field>()
  const card: Entry[] = []
  for (const entry of entries.slice(from, from + longestCard)) {
    if (!entry || (entry.field !== 'other' && seen.has(entry.field))) break
    seen.add(entry.field)
    card.push(entry)
  }
  return card
}

function factOf(reading: Reading, card: readonly Entry[]): FoundFact | null {
  const text = reading.document.text
  const of = (field: Field) => card.find((entry) => entry.field === field)?.value ?? null
  const said = (field: Field) => {
    const value = of(field)
    return value ? text.slice(value.start, value.end).replace(/\s+/g, ' ') : ''
  }
  const date = dateIn(reading, of('date'))
  const isKnown = (range: Range | null) =>
    range !== null && findVaccines(tokenise(text, range.start, range.end), 'any').length > 0
  const source = [of('vaccine'), of('disease')].find(isKnown)
  const name = source ? vaccineName(reading, source) : null
  if (!name || !date || !card.some((entry) => entry.field === 'vaccine')) return null
  if (vaccineCourse(said('state')) === 'not_given') return deniedDose(reading, name)
  if (vaccineCourse(said('state')) === 'to_come') return null
  const detail = withoutGaps({
    batch: /^[A-Z0-9][A-Z0-9-]{2,15}/i.exec(said('batch'))?.[0] ?? '',
    doseNumber: /\d+/.exec(said('dose'))?.[0] ?? '',
    site: said('site'),
    manufacturer: said('manufacturer'),
  })
  return doseFact(reading, name, { date, detail })
}

function dateIn(reading: Reading, range: Range | null): LabelledDate | null {
  return range ? (reading.dates.within(range.start, range.end)[0] ?? null) : null
}
