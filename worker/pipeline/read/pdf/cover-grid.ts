import type { Box } from '../../../../clinical/document/page.ts'

const side = 128

/** Where something was drawn, in squares: quick to ask of thousands of boxes, and never wrong by more than a square. */
export class CoverGrid {
  readonly #cells = new Uint8Array(side * side)

  add(box: Box): void {
    const [left, top, right, bottom] = cellsOf(box)
    for (let y = top; y < bottom; y++) this.#cells.fill(1, y * side + left, y * side + right)
  }

  touches(box: Box): boolean {
    const [left, top, right, bottom] = cellsOf(box)
    for (let y = top; y < bottom; y++) {
      if (this.#cells.subarray(y * side + left, y * side + right).includes(1)) return true
    }
    return false
  }
}

/** Squares whose middle lies in the box, but at least one. */
function cellsOf(box: Box): [number, number, number, number] {
  const left = Math.min(side - 1, Math.round(box[0] * side))
  const top = Math.min(side - 1, Math.round(box[1] * side))
  return [left, top, Math.max(left + 1, Math.round(box[2] * side)), Math.max(top + 1, Math.round(box[3] * side))]
}
