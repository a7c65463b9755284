/**
 * Blocks in the order in which they are read. Vision's own jumps between the columns of a page and of its tables. Columns
 * of running text are read one after the other; anything else from the top down, and from left to right where blocks
 * stand side by side.
 */
import { boxAroundBoxes } from './google-boxes.ts'
import type { PixelBox } from './google-boxes.ts'
import { extentOfLine } from './google-lines.ts'
import type { PrintedLine } from './google-lines.ts'

export type PrintedBlock = readonly PrintedLine[]

type Placed = { readonly block: PrintedBlock; readonly box: PixelBox }

export function inReadingOrder(blocks: readonly PrintedBlock[]): PrintedBlock[] {
  return ordered(blocks.flatMap(placed)).map(({ block }) => block)
}

function placed(block: PrintedBlock): Placed[] {
  const [first, ...others] = block.map(extentOfLine)
  return first === undefined ? [] : [{ block, box: others.reduce(boxAroundBoxes, first) }]
}

function ordered(region: readonly Placed[]): readonly Placed[] {
  if (region.length < 2) return region
  const columns = cut(region, 'columns')
  if (columns.length > 1 && columns.every(isRunningText)) return columns.flatMap(ordered)
  const rows = cut(region, 'rows')
  if (rows.length > 1) return rows.flatMap(ordered)
  if (columns.length > 1) return columns.flatMap(ordered)
  return region.toSorted((a, b) => a.box[1] - b.box[1] || a.box[0] - b.box[0])
}

const usualWordsOfALine = 4

function isRunningText(column: readonly Placed[]): boolean {
  const lines = column.flatMap(({ block }) => block)
  return lines.length >= 3 && lines.reduce((sum, line) => sum + line.length, 0) >= usualWordsOfALine * lines.length
}

// Boxes of neighbouring lines touch, and of tilted ones meet.
const slackPx = 3

/** Along the empty stripes that go through the whole region. */
function cut(region: readonly Placed[], into: 'rows' | 'columns'): Placed[][] {
  const [low, high] = into === 'rows' ? ([1, 3] as const) : ([0, 2] as const)
  const groups: Placed[][] = []
  let reach = Number.NEGATIVE_INFINITY
  for (const part of region.toSorted((a, b) => a.box[low] - b.box[low])) {
    if (part.box[low] >= reach - slackPx) groups.push([part])
    else groups.at(-1)?.push(part)
    reach = Math.max(reach, part.box[high])
  }
  return groups
}
