/**
 * What a file that is data (FHIR, CDA, HL7 v2) says in so many codes, in one shape whatever the format. An entry is tied
 * to the words that the reader itself laid out for it, so it has a place on a page like any other fact.
 */
import { z } from 'zod'
import type { FactStatus, FactType, FoundDate, SpanRole } from './found-fact.ts'
import { factStatuses, factTypes, spanRoles, type FactDetail } from './found-fact.ts'
import { readFactDetail, readFoundDate } from './stored-fact.ts'

/** What is said; `detail.codes` are those of the file, `detail.subject` tells people of one file apart. */
export type StatedFact = {
  readonly type: FactType
  readonly text: string
  readonly status: FactStatus
  readonly value: string | null
  readonly unit: string | null
  readonly referenceRange: string | null
  readonly date: FoundDate | null
  readonly detail: FactDetail
}

/** Words [from, from + count) of the page, in the reader's order. */
export type WordRun = { readonly role: SpanRole; readonly from: number; readonly count: number }

export type StructuredEntry = StatedFact & { readonly words: readonly WordRun[] }

/** Of one page. */
export type PageStructure = {
  readonly entries: readonly StructuredEntry[]
  /** Words that the reader set itself from data, from and count: labels, names and values that are no running text. */
  readonly data: readonly (readonly [from: number, count: number])[]
}

const stated = {
  type: z.enum(factTypes),
  text: z.string(),
  status: z.enum(factStatuses),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  referenceRange: z.string().nullable(),
  date: z.unknown().transform(readFoundDate),
  detail: z.unknown().transform(readFactDetail),
}

const pageStructure = z.object({
  entries: z.array(
    z.object({ ...stated, words: z.array(z.object({ role: z.enum(spanRoles), from: z.int(), count: z.int() })) }),
  ),
  data: z.array(z.tuple([z.int(), z.int()])),
})

/** As kept beside the page's words; null for pages of other files and of earlier readings. */
export function readPageStructure(kept: unknown): PageStructure | null {
  return kept === null || kept === undefined ? null : pageStructure.parse(kept)
}

/** The same once its words have their place in the text. */
export type PlacedEntry = StatedFact & {
  readonly spans: readonly { readonly role: SpanRole; readonly start: number; readonly length: number }[]
}

export type DocumentStructure = {
  readonly entries: readonly PlacedEntry[]
  /** Start and end of what is data, not running text; in the order of the text. */
  readonly data: readonly (readonly [start: number, end: number])[]
}

export const storedStructure = z.object({
  entries: z.array(
    z.object({ ...stated, spans: z.array(z.object({ role: z.enum(spanRoles), start: z.int(), length: z.int() })) }),
  ),
  data: z.array(z.tuple([z.int(), z.int()])),
})
