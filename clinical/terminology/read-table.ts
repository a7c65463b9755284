import { readFileSync } from 'node:fs'

/** The packaged tables keep their own README's rule: tab separated, first line names the columns, no quoting, `|` inside a cell. */
export function readTable<Column extends string>(name: string, columns: readonly Column[]): Record<Column, string>[] {
  const text = readFileSync(new URL(`./tables/${name}.tsv`, import.meta.url), 'utf8')
  const [head = '', ...lines] = text.replace(/\n+$/, '').split('\n')
  const places = placesOf(columns, head.split('\t'), name)
  return lines
    .map((line) => {
      const cells = line.split('\t')
      const row: Partial<Record<Column, string>> = {}
      for (const [column, place] of places) row[column] = cells[place] ?? ''
      return row
    })
    .filter((row) => isComplete(row, columns))
}

export function splitList(cell: string): string[] {
  return cell === '' ? [] : cell.split('|')
}

/** Built at the first call and kept for the life of the process: the tables never change while it runs. */
export function once<Value>(build: () => Value): () => Value {
  let built: { value: Value } | null = null
  return () => {
    built ??= { value: build() }
    return built.value
  }
}

function isComplete<Column extends string>(
  row: Partial<Record<Column, string>>,
  columns: readonly Column[],
): row is Record<Column, string> {
  return columns.every((column) => row[column] !== undefined)
}

function placesOf<Column extends string>(columns: readonly Column[], head: string[], name: string): [Column, number][] {
  return columns.map((column) => {
    const place = head.indexOf(column)
    if (place < 0) throw new Error(`Table ${name} has no column ${column}`)
    return [column, place]
  })
}
