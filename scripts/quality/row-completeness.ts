/**
 * Lab rows as mapping hands them on: a row is complete when one mapped table row holds the name and, in cells of
 * their own or glued as printed ("6.1 H"), exactly the value, unit, range and flag of the truth. A unit counts as the
 * closed list of units reads it.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Line, MappedDocument } from '../../clinical/document/mapped.ts'
import { legibleUnit, unitOf } from '../../clinical/terminology/units.ts'

const factSchema = z.object({
  type: z.string(),
  text: z.string(),
  aliases: z.array(z.string()).nullish(),
  value: z.string().nullish(),
  unit: z.string().nullish(),
  ref_range: z.string().nullish(),
  flag: z.string().nullish(),
  page: z.number().nullish(),
})
const truthSchema = z.object({
  doc: z.string(),
  facts: z.array(factSchema).nullish(),
  pages: z.array(z.object({ page: z.number(), text: z.string().nullish() })).nullish(),
})
type LabFact = z.infer<typeof factSchema>

export type RowCompleteness = {
  readonly rows: number
  readonly complete: number
  /** "name value unit range flag" of each row that is not. */
  readonly broken: readonly string[]
}

/** The lab rows of a document's truth: results whose name, value and range are printed on one line. */
export function labRowsOf(truthFile: string, doc: string): LabFact[] {
  const read: unknown = JSON.parse(readFileSync(truthFile, 'utf8'))
  const truths = z.array(truthSchema).parse((Array.isArray(read) ? read : [read]).filter((truth) => truth.doc === doc))
  const lines = (truths[0]?.pages ?? []).flatMap(({ text }) => (text ?? '').split('\n').map(bare))
  return (truths[0]?.facts ?? []).filter((fact) => {
    if (fact.type !== 'observation' || !fact.value || !fact.ref_range) return false
    const parts = [fact.text, fact.value, fact.ref_range].map(bare)
    return lines.some((line) => parts.every((part) => line.includes(part)))
  })
}

export function rowCompleteness(mapped: MappedDocument, rows: readonly LabFact[]): RowCompleteness {
  const tableRows = mapped.lines.filter(({ kind }) => kind === 'table_row').map((line) => cellsOf(mapped, line))
  const broken = rows
    .filter((fact) => !tableRows.some((row) => row.page === (fact.page ?? row.page) && holdsRow(row.cells, fact)))
    .map((fact) => partsOf(fact).join(' | '))
  return { rows: rows.length, complete: rows.length - broken.length, broken }
}

function cellsOf(mapped: MappedDocument, line: Line) {
  return { page: line.page, cells: line.cells.map(({ start, length }) => mapped.text.slice(start, start + length)) }
}

function partsOf(fact: LabFact): string[] {
  return [fact.text, fact.value, fact.unit, fact.ref_range, fact.flag].map((part) => part ?? '')
}

function holdsRow(cells: readonly string[], fact: LabFact): boolean {
  const names = [fact.text, ...(fact.aliases ?? [])].map(bare).filter((name) => name !== '')
  const named = cells.findIndex((cell) => names.some((name) => bare(cell).includes(name)))
  if (named === -1) return false
  const wanted = new Set([fact.value, fact.unit, fact.ref_range, fact.flag].map(bare).filter((part) => part !== ''))
  const held = cells.flatMap((cell, place) => (place === named ? [] : (partsIn(bare(legible(cell)), wanted) ?? [])))
  return [...wanted].every((part) => held.includes(part))
}

function legible(cell: string): string {
  const unit = /^\d+$/.test(cell) ? null : unitOf(cell)
  return unit === null ? cell : legibleUnit(cell, unit)
}

/** The parts that a cell is made of and nothing else, or null. */
function partsIn(cell: string, wanted: ReadonlySet<string>): string[] | null {
  if (cell === '') return []
  for (const part of wanted) {
    if (!cell.startsWith(part)) continue
    const rest = partsIn(cell.slice(part.length), wanted)
    if (rest !== null) return [part, ...rest]
  }
  return null
}

/** Without case, spaces, brackets and the many kinds of dashes: what is left must be the same letter by letter. */
function bare(printed: string | null | undefined): string {
  return (printed ?? '')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[–—−]/g, '-')
    .replaceAll('μ', 'µ')
    .replaceAll(/[\s()[\]*:^]|^x(?=10)/g, '')
}
