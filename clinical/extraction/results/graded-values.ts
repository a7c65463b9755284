/** What pathologists give instead of a number with a unit: grades, levels, stages and sums. */
import { trimmed, type Range, type Reading } from '../found.ts'
import type { RowValues } from './row-values.ts'
import { columnOf, type Table, type TableRow } from '../statements/table-columns.ts'

const graded = /\b(?:score|grade|group|level|stage|staging|index|count|type|class|category|pTNM)\b/i
const grade =
  /^(?:[yrcm]?p?T(?:is|[0-4X])\w{0,3}(?:[ ,(]+p?N\S{1,6})?(?:[ ,(]+p?M\S{1,3})?|(?:grade |level |stage |G)?(?:[IVX]{1,4}[ABC]?|\d)|\d{1,2} ?\/ ?\d{1,2}|\d ?\+ ?\d ?= ?\d{1,2})$/i

export function gradeIn(reading: Reading, table: Table, { line }: TableRow, label: Range): RowValues['value'] {
  const { text, documentClass } = reading.document
  const cell = line.cells.find((each) => each.start >= label.end)
  if (documentClass !== 'pathology_report' || !cell || columnOf(table, cell) !== null || line.cells.length > 2)
    return null
  const value = trimmed(text, { start: cell.start, end: cell.start + cell.length })
  const printed = text.slice(value.start, value.end)
  return graded.test(text.slice(label.start, label.end)) && grade.test(printed)
    ? { ...value, printed, number: null, comparator: null }
    : null
}

/** In a pathologist's summary "ISUP grade group | 2" says it all. */
export function isGraded({ document }: Reading, name: Range, { value }: RowValues): boolean {
  return (
    document.documentClass === 'pathology_report' &&
    graded.test(document.text.slice(name.start, name.end)) &&
    grade.test(value?.printed ?? '')
  )
}
