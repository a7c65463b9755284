import type { Box, Word } from '../../../clinical/document/page.ts'

/** The text layer is exact where it has words; OCR adds what stands in pictures beside it. */
export function mergeWords(layer: readonly Word[], recognised: readonly Word[]): Word[] {
  const lines = Math.max(-1, ...layer.map(({ line }) => line)) + 1
  const blocks = Math.max(-1, ...layer.map(({ block }) => block)) + 1
  const added = recognised.filter((word) => !layer.some((known) => isSamePlace(known.box, word.box)))
  return [...layer, ...added.map((word) => ({ ...word, line: word.line + lines, block: word.block + blocks }))]
}

function isSamePlace(known: Box, found: Box): boolean {
  const width = Math.min(known[2], found[2]) - Math.max(known[0], found[0])
  const height = Math.min(known[3], found[3]) - Math.max(known[1], found[1])
  if (width <= 0 || height <= 0) return false
  const smaller = Math.min(areaOf(known), areaOf(found))
  return width * height > 0.25 * smaller
}

function areaOf(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1])
}
