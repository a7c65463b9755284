import type { Fact } from '../../client/index.ts'

const columns = ['type', 'text', 'code', 'value', 'date', 'status', 'page', 'confidence'] as const
const maxWidths: Readonly<Record<(typeof columns)[number], number>> = {
  type: 16,
  text: 34,
  code: 22,
  value: 26,
  date: 10,
  status: 20,
  page: 4,
  confidence: 10,
}

/** Facts as a plain table, in page order, cut to fit a terminal of about 150 columns. */
export function factTable(facts: readonly Fact[]): string {
  const rows = facts.toSorted(byPlace).map(cellsOf)
  const widths = columns.map((column, index) =>
    Math.min(maxWidths[column], Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length))),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => fit(cell, widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

function cellsOf(fact: Fact): string[] {
  return [
    fact.type,
    fact.text,
    fact.code === null ? '–' : `${fact.code.system} ${fact.code.code}`,
    [fact.value, fact.unit].filter((part) => part !== null).join(' ') || '–',
    fact.date ?? '–',
    fact.held ? `${fact.status} (held)` : fact.status,
    String(fact.sources[0]?.page ?? '–'),
    fact.confidence ?? '–',
  ]
}

function byPlace(a: Fact, b: Fact): number {
  const [left, right] = [a.sources[0], b.sources[0]]
  if (left === undefined || right === undefined) return 0
  const [[x0 = 0, y0 = 0], [otherX0 = 0, otherY0 = 0]] = [left.box, right.box]
  return left.page - right.page || y0 - otherY0 || x0 - otherX0
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}
