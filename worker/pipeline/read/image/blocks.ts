import type { GreyImage } from './grey-image.ts'

/** One figure for every square of a picture. */
export type Blocks = {
  readonly values: Float32Array
  readonly columns: number
  readonly rows: number
  /** In pixels. */
  readonly size: number
}

const blockPx = 32

type Square = { readonly values: Uint8Array; readonly block: number }

/** Every second pixel each way tells enough. */
export function makeBlocks(image: GreyImage, figure: (square: Square) => number): Blocks {
  const columns = Math.max(1, Math.ceil(image.width / blockPx))
  const rows = Math.max(1, Math.ceil(image.height / blockPx))
  const found = new Float32Array(columns * rows)
  const square = new Uint8Array((blockPx / 2) ** 2)
  for (let block = 0; block < found.length; block++) {
    const left = (block % columns) * blockPx
    const top = Math.floor(block / columns) * blockPx
    let count = 0
    for (let y = top; y < Math.min(top + blockPx, image.height); y += 2) {
      const row = y * image.width
      for (let x = left; x < Math.min(left + blockPx, image.width); x += 2) square[count++] = image.data[row + x] ?? 255
    }
    found[block] = figure({ values: square.subarray(0, count), block })
  }
  return { values: found, columns, rows, size: blockPx }
}

export function filterBlocks(blocks: Blocks, reach: number, filter: 'least' | 'mean' | 'greatest'): Blocks {
  const across = filtered(blocks, { reach, filter, isAcross: true })
  return filtered(across, { reach, filter, isAcross: false })
}

type Filter = { readonly reach: number; readonly filter: 'least' | 'mean' | 'greatest'; readonly isAcross: boolean }

function filtered(blocks: Blocks, { reach, filter, isAcross }: Filter): Blocks {
  const { columns, rows } = blocks
  const length = isAcross ? columns : rows
  const step = isAcross ? 1 : columns
  const values = blocks.values.map((_, block) => {
    const place = isAcross ? block % columns : Math.floor(block / columns)
    const from = Math.max(0, place - reach)
    const to = Math.min(length - 1, place + reach)
    let [least, sum, greatest] = [Infinity, 0, -Infinity]
    for (let other = from; other <= to; other++) {
      const value = blocks.values[block + (other - place) * step] ?? 0
      least = Math.min(least, value)
      greatest = Math.max(greatest, value)
      sum += value
    }
    return filter === 'least' ? least : filter === 'greatest' ? greatest : sum / (to - from + 1)
  })
  return { ...blocks, values }
}
