/** Takes a model's answer in: each fact is found again in the text, word by word, or refused. */
import { dateOrderOf, findDates } from '../../clinical/document/dates.ts'
import type { FactDetail, FoundDate, FoundFact, Span, SpanRole } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import type { AnsweredFact } from '../providers/ai/provider.ts'
import { alignQuote, type AlignedRange } from './align-quote.ts'

export type Chunk = { readonly start: number; readonly end: number }
export type AnsweredBy = { readonly provider: string; readonly model: string; readonly promptVersion: string }

export function takeAnswer(
  document: MappedDocument,
  chunk: Chunk,
  answered: readonly AnsweredFact[],
  by: AnsweredBy,
): { readonly facts: readonly FoundFact[]; readonly refused: number } {
  // The same words may stand there several times; each mention takes the next one.
  const nextStart = new Map<string, number>()
  const facts = answered.flatMap((said) => {
    const key = `${said.type}:${said.quote}`
    const quote = alignQuote(document.text, said.quote, nextStart.get(key) ?? chunk.start, chunk.end)
    const fact = quote === null ? null : factInQuote(document, said, quote, by)
    if (quote === null || fact === null) return []
    nextStart.set(key, quote.end)
    return [fact]
  })
  return { facts, refused: answered.length - facts.length }
}

function factInQuote(
  document: MappedDocument,
  said: AnsweredFact,
  quote: AlignedRange,
  by: AnsweredBy,
): FoundFact | null {
  const locate = (words: string | null) =>
    words === null ? null : alignQuote(document.text, words, quote.start, quote.end)
  const name = locate(said.name)
  const parts = [
    ['value', said.value, locate(said.value)],
    ['unit', said.unit, locate(said.unit)],
    ['reference_range', said.reference_range, locate(said.reference_range)],
  ] as const
  // A number that is not printed where the fact is printed is an invented one.
  if (name === null || name.exactness === 'fuzzy' || parts.some(([, words, place]) => words !== null && place === null))
    return null
  const printed = (role: SpanRole) => textOf(document, parts.find(([each]) => each === role)?.[2] ?? null)
  const date = dateIn(document, locate(said.date), said)
  return {
    type: said.type,
    text: textOf(document, name) ?? said.name,
    status: said.status,
    value: printed('value'),
    unit: printed('unit'),
    referenceRange: printed('reference_range'),
    date: date?.found ?? null,
    detail: detailOf(said),
    spans: [
      spanOf('name', name),
      ...parts.flatMap(([role, , place]) => (place === null ? [] : [spanOf(role, place)])),
      ...(date === null ? [] : [date.span]),
    ],
    concept: null,
    strength: quote.exactness === 'exact' ? 'fair' : 'weak',
    foundBy: { pass: 1, ...by },
  }
}

function dateIn(
  document: MappedDocument,
  place: AlignedRange | null,
  said: AnsweredFact,
): { found: FoundDate; span: Span } | null {
  if (place === null) return null
  const [printed] = findDates(document.text, dateOrderOf(document), place.start, place.end)
  if (printed === undefined) return null
  const found = { iso: printed.iso, printed: printed.printed, meaning: meaningOf(said), certainty: printed.certainty }
  return { found, span: { role: 'date', start: printed.start, length: printed.end - printed.start } }
}

const meanings: { readonly [Type in AnsweredFact['type']]?: FoundDate['meaning'] } = {
  lab_result: 'collected',
  vital_sign: 'collected',
  condition: 'onset',
  immunization: 'given',
  procedure: 'performed',
  medication: 'started',
  encounter: 'visit',
  identity: 'birth',
}

const meaningOf = (said: AnsweredFact) => meanings[said.type] ?? 'document'

function detailOf(said: AnsweredFact): FactDetail {
  const given = {
    dose: said.dose,
    route: said.route,
    frequency: said.frequency,
    reaction: said.reaction,
    relationship: said.relationship,
    identityKind: said.identity_kind,
  }
  return Object.fromEntries(Object.entries(given).filter(([, words]) => words !== null))
}

const spanOf = (role: SpanRole, place: AlignedRange): Span => ({
  role,
  start: place.start,
  length: place.end - place.start,
})

const textOf = (document: MappedDocument, place: AlignedRange | null) =>
  place === null ? null : document.text.slice(place.start, place.end).replace(/\s+/g, ' ')
