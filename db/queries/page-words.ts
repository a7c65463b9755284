/**
 * Words of a page packed by column, so that the biggest table stays small: texts as an array, boxes as four
 * little-endian uint16 (fractions of 65535), one byte of confidence, and two uint16 for block (top bits: bold, struck out) and line.
 */
export type PackedWords = {
  readonly words: string[]
  readonly boxes: Buffer
  readonly confidences: Buffer
  readonly grouping: Buffer
}

/** The shape of a word as the reader delivers it; structurally the `Word` of the document model, which this floor may not import. */
export type StoredWord = {
  readonly text: string
  readonly confidence01: number
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number]
  readonly line: number
  readonly block: number
  readonly isBold?: boolean
  readonly isStruck?: boolean
}

const boxSteps = 65535
const confidenceSteps = 255
const boldBit = 0x8000
const struckBit = 0x4000
const maxBlock = 0x3fff
const maxLine = 0xffff

export function packWords(words: readonly StoredWord[]): PackedWords {
  const boxes = Buffer.alloc(8 * words.length)
  const confidences = Buffer.alloc(words.length)
  const grouping = Buffer.alloc(4 * words.length)
  words.forEach((word, index) => {
    packBox(word.box).forEach((edge, corner) => boxes.writeUInt16LE(edge, 8 * index + 2 * corner))
    confidences.writeUInt8(toStep(word.confidence01, confidenceSteps), index)
    const look = (word.isBold === true ? boldBit : 0) | (word.isStruck === true ? struckBit : 0)
    grouping.writeUInt16LE(Math.min(word.block, maxBlock) | look, 4 * index)
    grouping.writeUInt16LE(Math.min(word.line, maxLine), 4 * index + 2)
  })
  // PostgreSQL text cannot hold a NUL; a word that had one keeps its other characters.
  return { words: words.map((word) => word.text.replaceAll('\u0000', '')), boxes, confidences, grouping }
}

export function unpackWords(packed: PackedWords): StoredWord[] {
  return packed.words.map((text, index) => {
    const edge = (corner: number) => packed.boxes.readUInt16LE(8 * index + 2 * corner) / boxSteps
    const block = packed.grouping.readUInt16LE(4 * index)
    return {
      text,
      confidence01: packed.confidences.readUInt8(index) / confidenceSteps,
      box: [edge(0), edge(1), edge(2), edge(3)],
      line: packed.grouping.readUInt16LE(4 * index + 2),
      block: block & maxBlock,
      ...((block & boldBit) === 0 ? {} : { isBold: true }),
      ...((block & struckBit) === 0 ? {} : { isStruck: true }),
    }
  })
}

/** A box keeps an extent of at least one step each way: a hairline may round to nothing, its word must not. */
function packBox(box: StoredWord['box']): [number, number, number, number] {
  const [x0, x1] = packExtent(box[0], box[2])
  const [y0, y1] = packExtent(box[1], box[3])
  return [x0, y0, x1, y1]
}

function packExtent(low: number, high: number): [number, number] {
  const from = Math.min(toStep(low, boxSteps), boxSteps - 1)
  return [from, Math.max(toStep(high, boxSteps), from + 1)]
}

function toStep(fraction01: number, steps: number): number {
  return Number.isFinite(fraction01) ? Math.round(Math.min(1, Math.max(0, fraction01)) * steps) : 0
}
