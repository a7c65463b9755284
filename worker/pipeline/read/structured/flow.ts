import type { SpanRole } from '../../../../clinical/document/found-fact.ts'
import type { StatedFact } from '../../../../clinical/document/structured-entry.ts'

/** A document without pages of its own (Word, RTF, text, messages) on its way to being laid out. */
export type FlowRun = {
  readonly text: string
  readonly isBold: boolean
  readonly isStruck?: boolean
  /** Set by the reader from data, with the entry (by its place in `entries`) that it says a part of. */
  readonly data?: { readonly entry: number; readonly role: SpanRole } | 'label'
}

export type FlowCell = readonly FlowRun[]

export type FlowBlock =
  | { readonly kind: 'paragraph'; readonly runs: readonly FlowRun[]; readonly indent?: number }
  /** Rows of cells of runs; a row of bold cells at the top is said again on each page. */
  | { readonly kind: 'table'; readonly rows: readonly (readonly FlowCell[])[] }
  /** One line whose spaces mean something. */
  | { readonly kind: 'preformatted'; readonly text: string }
  | { readonly kind: 'page break' }

/** What a reader makes of a file. */
export type Flow = {
  readonly blocks: readonly FlowBlock[]
  readonly entries: readonly StatedFact[]
  /** Pages of their own that the file carries along: reports as PDF, pictures of pages. */
  readonly attachments: readonly FlowAttachment[]
}

export type FlowAttachment = { readonly mimeType: string; readonly bytes: Buffer }

export function flowOf(blocks: readonly FlowBlock[]): Flow {
  return { blocks, entries: [], attachments: [] }
}

export function plain(text: string): FlowRun {
  return { text, isBold: false }
}

export function bold(text: string): FlowRun {
  return { text, isBold: true }
}

export function paragraph(...runs: FlowRun[]): FlowBlock {
  return { kind: 'paragraph', runs }
}

export function printed(runs: readonly FlowRun[]): string {
  return runs.map(({ text }) => text).join('')
}

const marked = (runs: readonly FlowRun[]) => runs.map((run) => ({ ...run, data: 'label' as const }))

/** The same block as data, which the rules leave alone. */
export function asData(block: FlowBlock): FlowBlock {
  if (block.kind === 'paragraph') return { ...block, runs: marked(block.runs) }
  return block.kind === 'table' ? { ...block, rows: block.rows.map((row) => row.map(marked)) } : block
}
