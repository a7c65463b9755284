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

/**
 * Of every square the brightness that a smaller and a greater share of its pixels do not exceed. Every second pixel each
 * way tells enough.
 */
export function shadesOfBlocks(
  { data, width, height }: GreyImage,
  shares: { readonly dark: number; readonly bright: number },
): { readonly dark: Blocks; readonly bright: Blocks } {
  const columns = Math.max(1, Math.ceil(width / blockPx))
  const rows = Math.max(1, Math.ceil(height / blockPx))
  const dark = new Float32Array(columns * rows)
  const bright = new Float32Array(columns * rows)
  const counts = new Int32Array(256)
  for (let block = 0; block < dark.length; block++) {
    const left = (block % columns) * blockPx
    const right = Math.min(left + blockPx, width)
    const top = Math.floor(block / columns) * blockPx
    const bottom = Math.min(top + blockPx, height)
    counts.fill(0)
    let count = 0
    for (let y = top; y < bottom; y += 2) {
      for (let at = y * width + left; at < y * width + right; at += 2) {
        const value = data[at] ?? 255
        counts[value] = (counts[value] ?? 0) + 1
        count++
      }
    }
    let value = 0
    let seen = counts[0] ?? 0
    while (value < 255 && seen < shares.dark * count) seen += counts[++value] ?? 0
    dark[block] = value
    while (value < 255 && seen < shares.bright * count) seen += counts[++value] ?? 0
    bright[block] = value
  }
  const grid = { columns, rows, size: blockPx }
  return { dark: { values: dark, ...grid }, bright: { values: bright, ...grid } }
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
