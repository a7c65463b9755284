/** Columns for the times of a day ("Breakfast | Lunch | Dinner | Bed"): how many are taken stands under each. */
import type { FactDetail } from '../../document/found-fact.ts'
import { sigLexicon } from '../../terminology/sig.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import type { Reading } from '../found.ts'
import { columnOf, type Table, type TableRow } from '../statements/table-columns.ts'

const count =
  /^(?:\d{1,3}(?:\.\d{1,2})?|½|¼|1½|\d ?½|1\/2|one|two|three|half|i{1,3})(?:\s*(?:tab|cap|puff|drop|unit|sachet|mL|mg|g)\w*)?$/i
const nothing = /^[\s\-–—x0.]*$/i

/** null: the row has nothing under such columns. What cannot be told apart is left out, as is the strength for the dose. */
export function dosesByTime(reading: Reading, table: Table, row: TableRow): FactDetail | null {
  const printed = ({ start, length }: { start: number; length: number }) =>
    reading.document.text
      .slice(start, start + length)
      .replace(/\s+/g, ' ')
      .trim()
  const doses = row.line.cells.flatMap((cell) => {
    const column = columnOf(table, cell)
    if (column?.role !== 'time_of_day' || nothing.test(printed(cell))) return []
    return [{ time: printed(column.cell), amount: printed(cell) }]
  })
  if (doses.length === 0) return null
  const isClear = doses.every(({ time, amount }) => count.test(amount) && codeOf(time) !== null)
  if (!isClear) return { dose: '' }
  const [first] = doses
  const isSame = doses.every(({ amount }) => amount === first?.amount)
  const single = doses.length === 1 && first ? codeOf(first.time) : null
  return {
    dose: isSame ? (first?.amount ?? '') : '',
    frequency: doses.map(({ time, amount }) => (isSame ? time : `${amount} ${time}`)).join(', '),
    frequencyCode: single ?? `${doses.length}/d`,
  }
}

const codes: Readonly<Record<string, string>> = {
  breakfast: '1/d morning',
  brkf: '1/d morning',
  bfast: '1/d morning',
  morning: '1/d morning',
  am: '1/d morning',
  lunch: '1/d midday',
  noon: '1/d midday',
  midday: '1/d midday',
  afternoon: '1/d',
  tea: '1/d evening',
  dinner: '1/d evening',
  supper: '1/d evening',
  evening: '1/d evening',
  pm: '1/d evening',
  bed: '1/d night',
  bedtime: '1/d night',
  night: '1/d night',
}

function codeOf(time: string): string | null {
  const words = time
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .trim()
  const known = codes[words]
  if (known !== undefined) return known
  const tokens = tokenise(words)
  const match = matchAt(sigLexicon(), tokens, 0, 'any')
  return match?.to === tokens.length
    ? (match.terms.find(({ meaning }) => meaning.kind === 'frequency')?.meaning.code ?? null)
    : null
}
