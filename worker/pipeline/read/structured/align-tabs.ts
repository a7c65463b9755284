import type { FlowBlock, FlowRun } from './flow.ts'

/** Neighbouring lines that are set with as many tabs each are rows of a table; a lone one keeps a gap. */
export function alignTabs(blocks: readonly FlowBlock[]): FlowBlock[] {
  const aligned: FlowBlock[] = []
  let rows: (readonly FlowRun[])[][] = []
  let open: FlowBlock[] = []
  const close = (): void => {
    aligned.push(...(rows.length > 1 ? [{ kind: 'table', rows } as const] : open))
    rows = []
    open = []
  }
  for (const block of blocks) {
    const cells = block.kind === 'paragraph' ? cellsOf(block.runs) : []
    if (cells.length < 2 || (rows[0] !== undefined && rows[0].length !== cells.length)) close()
    if (cells.length < 2) aligned.push(block)
    else {
      rows.push(cells)
      open.push(block)
    }
  }
  close()
  return aligned
}

const isFilled = (cell: readonly FlowRun[]) => cell.some(({ text }) => text.trim() !== '')

/** Tabs at the start only indent, those at the end do nothing, and a line break makes it no row. */
function cellsOf(runs: readonly FlowRun[]): FlowRun[][] {
  const cells: FlowRun[][] = [[]]
  for (const run of runs) {
    if (run.text.includes('\n')) return []
    run.text.split('\t').forEach((text, index) => {
      if (index > 0) cells.push([])
      if (text !== '') cells.at(-1)?.push({ ...run, text })
    })
  }
  const first = cells.findIndex(isFilled)
  return first === -1 ? [] : cells.slice(first, cells.findLastIndex(isFilled) + 1)
}
