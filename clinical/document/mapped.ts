/**
 * What spatial mapping makes of the pages of one file: a text that is never edited again, and the lines, cells and
 * sections over it. Every place is an offset and length in `text`, in UTF-16 code units; words tie offsets to boxes.
 */
import type { Box, Page } from './page.ts'
import type { DocumentStructure } from './structured-entry.ts'

export const documentClasses = [
  'lab_report',
  'imaging_report',
  'pathology_report',
  'discharge_summary',
  'referral_letter',
  'specialist_letter',
  'clinic_note',
  'prescription',
  'medication_list',
  'immunization_record',
  'health_summary',
  'administrative',
  'unknown',
] as const
export type DocumentClass = (typeof documentClasses)[number]

export type MappedWord = {
  readonly page: number
  readonly start: number
  readonly length: number
  readonly box: Box
  readonly confidence01: number
  /** A line goes through it: still printed, but taken back. */
  readonly isStruck?: boolean
}

/** Neighbouring words of a line with no column gap between them; `column` numbers the table's columns from 0. */
export type Cell = {
  readonly start: number
  readonly length: number
  readonly column: number | null
  readonly box: Box
}

export const lineKinds = [
  'heading',
  'text',
  'list_item',
  'key_value',
  'table_header',
  'table_row',
  'furniture',
] as const
/** `furniture` is what pages repeat around the content: letterheads, footers, page numbers. */
export type LineKind = (typeof lineKinds)[number]

export type Line = {
  readonly page: number
  readonly start: number
  readonly length: number
  readonly box: Box
  readonly kind: LineKind
  /** Left to right; one cell where the line has no columns. */
  readonly cells: readonly Cell[]
  /** Indexes into `words`, left to right. */
  readonly words: readonly number[]
  /** Same number = same table; null outside of tables. */
  readonly table: number | null
  /** Index into `sections`. */
  readonly section: number
  readonly isBold: boolean
}

export type Section = {
  /** As printed; null for what stands before the first heading. */
  readonly heading: string | null
  /** Slug of `terminology/section_headings.tsv` ("allergies", "family-history", …), null when the heading is not known. */
  readonly slug: string | null
  /** Lines [firstLine, endLine) */
  readonly firstLine: number
  readonly endLine: number
}

export type MappedDocument = {
  readonly text: string
  /** Where each page's text lies. Pages are separated by a form feed, lines by a line feed, cells by a tab, words by a space. */
  readonly pages: readonly { readonly number: number; readonly start: number; readonly length: number }[]
  readonly words: readonly MappedWord[]
  /** In reading order. */
  readonly lines: readonly Line[]
  readonly sections: readonly Section[]
  readonly documentClass: DocumentClass
  /** Decides day/month order where the date itself does not; from units, spelling, addresses, date evidence. */
  readonly locale: 'en-AU' | 'en-US'
  /** Of files that are data: what they say in so many codes. */
  readonly structure?: DocumentStructure | null
}

export type MapDocument = (pages: readonly Page[]) => MappedDocument
