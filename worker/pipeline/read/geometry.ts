import type { Box } from '../../../clinical/document/page.ts'

export type QuarterTurn = 0 | 90 | 180 | 270

/** A box after the page around it was turned clockwise; fractions of the page before and after. */
export function turnBox(box: Box, turn: QuarterTurn): Box {
  const [x0, y0, x1, y1] = box
  if (turn === 0) return box
  if (turn === 90) return [1 - y1, x0, 1 - y0, x1]
  return turn === 180 ? [1 - x1, 1 - y1, 1 - x0, 1 - y0] : [y0, 1 - x1, y1, 1 - x0]
}

export function clampBox(box: Box): Box {
  return [clamp01(box[0]), clamp01(box[1]), clamp01(box[2]), clamp01(box[3])]
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value))
}
