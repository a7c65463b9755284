/**
 * Takes a model's answer in. Each fact is found again in the text, word by word, and then read as the rules read: its
 * cues, its section, its boxes and its dates. What is not printed, or is contradicted by the words around it, is refused.
 */
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { ClaimReader, Objection } from '../../clinical/extraction/claims/claims.ts'
import type { Range } from '../../clinical/extraction/found.ts'
import type { AnsweredFact } from '../providers/ai/provider.ts'
import { alignQuote } from './align-quote.ts'
import { dateOf } from './answered-dates.ts'
import { neighbourhood, partsOf, printed, spanOf, type PartRefusal } from './answered-parts.ts'

/** `sent` is what was asked about: as long as the document, with what did not leave the machine blank or hidden. */
export type SentChunk = { readonly start: number; readonly end: number; readonly sent: string }
export type AnsweredBy = { readonly provider: string; readonly model: string; readonly promptVersion: string }

/** Why a fact of a model was not taken; a code, no content. */
export type Refusal = 'quote_not_printed' | 'quote_too_long' | 'name_not_printed' | PartRefusal | Objection | 'no_words'
export type RefusalCounts = { readonly [Why in Refusal]?: number }

export type TakenAnswer = { readonly facts: readonly FoundFact[]; readonly refusals: readonly Refusal[] }

/** A quote is the shortest run that states a fact; whoever quotes half a page could prove anything by it. */
const longestQuote = 600

export function takeAnswer(
  reader: ClaimReader,
  chunk: SentChunk,
  answered: readonly AnsweredFact[],
  by: AnsweredBy,
): TakenAnswer {
  // The same words may stand there several times; each mention takes the next one.
  const nextStart = new Map<string, number>()
  const facts: FoundFact[] = []
  const refusals: Refusal[] = []
  for (const said of answered) {
    const key = `${said.type}:${said.quote}`
    const quote = alignQuote(chunk.sent, said.quote, nextStart.get(key) ?? chunk.start, chunk.end)
    const fact = quote === null ? 'quote_not_printed' : factInQuote(reader, said, { ...quote, sent: chunk.sent }, by)
    if (typeof fact === 'string') refusals.push(fact)
    else {
      // A mention that is refused leaves its place to nobody: the next one like it may be another's words.
      facts.push({ ...fact, strength: quote?.exactness === 'exact' ? fact.strength : 'weak' })
    }
    if (quote !== null) nextStart.set(key, quote.end)
  }
  return { facts, refusals }
}

function isShown(text: string, sent: string, { start, end }: Range): boolean {
  return text.slice(start, end) === sent.slice(start, end)
}

/** Reasons and how often, as they are kept with a run. */
export function countRefusals(refusals: readonly Refusal[]): RefusalCounts {
  return Object.fromEntries([...Map.groupBy(refusals, (why) => why)].map(([why, all]) => [why, all.length]))
}

function factInQuote(reader: ClaimReader, said: AnsweredFact, quote: SentChunk, by: AnsweredBy): FoundFact | Refusal {
  const { document } = reader.reading
  const { text } = document
  if (quote.end - quote.start > longestQuote) return 'quote_too_long'
  const name = alignQuote(quote.sent, said.name, quote.start, quote.end)
  // What was hidden from the model it cannot have read.
  if (name === null || name.exactness === 'fuzzy' || !isShown(text, quote.sent, name)) return 'name_not_printed'
  const segment = reader.segmentAt(name.start)
  const parts = partsOf(document, said, name, neighbourhood(document, segment ?? name, quote))
  if (typeof parts === 'string') return parts
  const verdict = reader.read({
    type: said.type,
    status: said.status,
    name,
    value: parts.value,
    parts: parts.spans.map(({ start, length }) => ({ start, end: start + length })),
    detail: parts.detail,
  })
  if (verdict.kind === 'objected') return verdict.why
  const date = dateOf(reader, {
    said,
    type: verdict.type,
    name,
    segment,
    around: neighbourhood(document, segment ?? name, quote),
  })
  const { clinicalStatus, cue, status, type } = verdict
  const isAsSaid = type === said.type && status === said.status && parts.dropped === 0
  return {
    type,
    text: printed(text, name),
    status,
    value: parts.value === null ? null : printed(text, parts.value),
    unit: parts.unit === null ? null : printed(text, parts.unit),
    referenceRange: parts.referenceRange === null ? null : printed(text, parts.referenceRange),
    date: date?.found ?? null,
    detail: { ...parts.detail, ...(clinicalStatus === null || clinicalStatus === undefined ? {} : { clinicalStatus }) },
    spans: [
      spanOf('name', name),
      ...parts.spans,
      ...(date === null || date.span === null ? [] : [date.span]),
      ...(cue === null ? [] : [spanOf('cue', cue)]),
    ],
    concept: null,
    // Two readings that agree are more than one.
    strength: isAsSaid ? 'fair' : 'weak',
    foundBy: { pass: 1, ...by },
  }
}
