/**
 * Sets data as pages that a person can read: fields a line each, one table for each kind of entry, whatever the format
 * it came in. Names, values, units, ranges and dates of an entry are marked, so that it can be found on the page.
 */
import type { SpanRole } from '../../../../clinical/document/found-fact.ts'
import type { StatedFact } from '../../../../clinical/document/structured-entry.ts'
import { columnsOf } from './entry-columns.ts'
import type { Flow, FlowAttachment, FlowBlock, FlowRun } from './flow.ts'

/** A fact as a file states it, with what is only printed. */
export type DataRow = {
  readonly fact: StatedFact
  /** False for what may not count: entered in error, cancelled, of nobody knows whom. It is printed all the same. */
  readonly isEntry: boolean
  /** In the file's words: "active", "entered in error". */
  readonly statusWords: string
  readonly note: string
}

export type DataSheet = {
  heading(text: string): void
  field(label: string, value: string, fact?: StatedFact): void
  /** Running text, which the rules may read. */
  text(text: string, options?: { readonly isBold?: boolean; readonly indent?: number }): void
  /** Text made of data, which they may not. */
  remark(text: string): void
  rows(rows: readonly DataRow[]): void
  block(block: FlowBlock): void
  attach(attachment: FlowAttachment): void
  flow(): Flow
}

const label = (text: string, isBold = true): FlowRun => ({ text, isBold, data: 'label' })

export function createDataSheet(): DataSheet {
  const blocks: FlowBlock[] = []
  const entries: StatedFact[] = []
  const attachments: FlowAttachment[] = []
  const add = (fact: StatedFact): number => entries.push(fact) - 1
  const space = (): void => {
    if (blocks.length === 0) return
    // Far enough below a table that nobody takes what comes for a row of it.
    const lines = blocks.at(-1)?.kind === 'table' ? 3 : 1
    for (let line = 0; line < lines; line++) blocks.push({ kind: 'paragraph', runs: [] })
  }
  return {
    heading: (text) => {
      if (text.trim() === '') return
      space()
      blocks.push({ kind: 'paragraph', runs: [label(oneLine(text))] })
    },
    field: (name, value, fact) => {
      if (value.trim() === '') return
      const data = fact === undefined ? ('label' as const) : { entry: add(fact), role: 'name' as const }
      blocks.push({ kind: 'paragraph', runs: [label(`${name}: `), { text: oneLine(value), isBold: false, data }] })
    },
    text: (text, { isBold = false, indent = 0 } = {}) => {
      for (const line of text.split(/\r\n|\r|\n/))
        blocks.push({ kind: 'paragraph', runs: [{ text: line, isBold }], indent })
    },
    remark: (text) => {
      if (text.trim() !== '') blocks.push({ kind: 'paragraph', runs: [label(text, false)] })
    },
    rows: (rows) => {
      if (rows.length === 0) return
      if (blocks.at(-1)?.kind === 'table') space()
      blocks.push(tableOf(rows, add))
    },
    block: (block) => void blocks.push(block),
    attach: (attachment) => void attachments.push(attachment),
    flow: () => ({ blocks, entries, attachments }),
  }
}

function tableOf(rows: readonly DataRow[], add: (fact: StatedFact) => number): FlowBlock {
  const columns = columnsOf(rows)
  const header = columns.map(({ title }): FlowRun[] => [{ text: title, isBold: true, data: 'label' }])
  const body = rows.map((row) => {
    const entry = row.isEntry ? add(row.fact) : null
    return columns.map(({ role, print }) => [cellRun(print(row), role, entry)])
  })
  return { kind: 'table', rows: [header, ...body] }
}

function cellRun(text: string, role: SpanRole | null, entry: number | null): FlowRun {
  const data = entry === null || role === null ? ('label' as const) : { entry, role }
  return { text: oneLine(text), isBold: false, data }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
