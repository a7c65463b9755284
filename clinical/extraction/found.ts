/** How a finder hands over what it found. */
import type { FactDetail, FactStatus, FactType, FoundDate, FoundFact, Span, SpanRole } from '../document/found-fact.ts'
import type { MappedDocument } from '../document/mapped.ts'
import type { DatedContext } from './dated-context.ts'
import type { LineRole } from './line-roles.ts'
import type { Segment } from './segments.ts'

/** What every finder may look at. */
export type Reading = {
  readonly document: MappedDocument
  readonly segments: readonly Segment[]
  /** One for each line of the document. */
  readonly roles: readonly LineRole[]
  readonly dates: DatedContext
}

export type Range = { readonly start: number; readonly end: number }

export type Found = {
  readonly type: FactType
  readonly name: Range
  readonly status?: FactStatus
  readonly value?: string | null
  readonly unit?: string | null
  readonly referenceRange?: string | null
  readonly date?: FoundDate | null
  readonly detail?: FactDetail
  readonly parts?: readonly (readonly [SpanRole, Range | null | undefined])[]
  readonly concept?: string | null
  readonly strength?: FoundFact['strength']
}

const foundBy = { pass: 1, provider: 'local', model: 'rules', promptVersion: null } as const

export function foundFact(document: MappedDocument, found: Found): FoundFact {
  return {
    type: found.type,
    text: document.text.slice(found.name.start, found.name.end).replace(/\s+/g, ' ').trim(),
    status: found.status ?? 'present',
    value: found.value ?? null,
    unit: found.unit ?? null,
    referenceRange: found.referenceRange ?? null,
    date: found.date ?? null,
    detail: found.detail ?? {},
    spans: spansOf([['name', found.name], ...(found.parts ?? [])]),
    concept: found.concept ?? null,
    strength: found.strength ?? 'fair',
    foundBy,
  }
}

export function trimmed(text: string, range: Range, edge = /[\s:;,.–-]/): Range {
  let { start, end } = range
  while (start < end && edge.test(text[start] ?? '')) start += 1
  while (end > start && edge.test(text[end - 1] ?? '')) end -= 1
  return { start, end }
}

function spansOf(parts: readonly (readonly [SpanRole, Range | null | undefined])[]): Span[] {
  return parts.flatMap(([role, range]) =>
    range && range.end > range.start ? [{ role, start: range.start, length: range.end - range.start }] : [],
  )
}
