/**
 * Divides a picture by the brightness of its paper: shadows, tints, yellowed and faded pages become dark on white.
 * The paper's brightness is that of the brighter pixels of each block, smoothed and drawn out between the blocks.
 */
import type { GreyImage } from './grey-image.ts'
import { percentile } from './grey-image.ts'

const blockPx = 32
const paperShare = 0.8

export function flattenLight(image: GreyImage): GreyImage {
  const paper = smooth(dilate(paperBlocks(image)))
  const flat = divide(image, paper)
  return { ...image, data: stretch({ ...image, data: flat }) }
}

function paperBlocks(image: GreyImage): GreyImage {
  const width = Math.max(1, Math.ceil(image.width / blockPx))
  const height = Math.max(1, Math.ceil(image.height / blockPx))
  const data = new Uint8Array(width * height)
  const block = new Uint8Array(blockPx * blockPx)
  for (let by = 0; by < height; by++) {
    for (let bx = 0; bx < width; bx++) {
      let count = 0
      for (let y = by * blockPx; y < Math.min((by + 1) * blockPx, image.height); y += 2) {
        for (let x = bx * blockPx; x < Math.min((bx + 1) * blockPx, image.width); x += 2) {
          block[count++] = image.data[y * image.width + x] ?? 255
        }
      }
      data[by * width + bx] = percentile(block.subarray(0, count), paperShare)
    }
  }
  return { data, width, height }
}

// Blocks inside dark areas take the paper of their neighbours, else the area would turn white. Shrinking the bright parts
// back (a closing) would be truer to slopes of light, but read hard photos worse: 25 % of letters wrong instead of 13 %.
function dilate(blocks: GreyImage): GreyImage {
  return filterBlocks(blocks, 2, (values) => Math.max(...values))
}

function smooth(blocks: GreyImage): GreyImage {
  return filterBlocks(blocks, 2, (values) => values.reduce((sum, value) => sum + value, 0) / values.length)
}

function filterBlocks(blocks: GreyImage, reach: number, filter: (values: readonly number[]) => number): GreyImage {
  const data = new Uint8Array(blocks.data.length)
  for (let y = 0; y < blocks.height; y++) {
    for (let x = 0; x < blocks.width; x++) {
      const values: number[] = []
      for (let ny = Math.max(0, y - reach); ny <= Math.min(blocks.height - 1, y + reach); ny++) {
        for (let nx = Math.max(0, x - reach); nx <= Math.min(blocks.width - 1, x + reach); nx++) {
          values.push(blocks.data[ny * blocks.width + nx] ?? 255)
        }
      }
      data[y * blocks.width + x] = filter(values)
    }
  }
  return { ...blocks, data }
}

function divide(image: GreyImage, paper: GreyImage): Uint8Array {
  const data = new Uint8Array(image.data.length)
  for (let y = 0; y < image.height; y++) {
    const v = Math.min(Math.max(y / blockPx - 0.5, 0), paper.height - 1)
    const top = Math.floor(v)
    const bottom = Math.min(top + 1, paper.height - 1)
    for (let x = 0; x < image.width; x++) {
      const u = Math.min(Math.max(x / blockPx - 0.5, 0), paper.width - 1)
      const left = Math.floor(u)
      const right = Math.min(left + 1, paper.width - 1)
      const at = (row: number, column: number): number => paper.data[row * paper.width + column] ?? 255
      const upper = at(top, left) + (at(top, right) - at(top, left)) * (u - left)
      const lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (u - left)
      const light = Math.max(upper + (lower - upper) * (v - top), 16)
      const place = y * image.width + x
      data[place] = Math.min(255, ((image.data[place] ?? 255) * 250) / light)
    }
  }
  return data
}

/** Faded ink becomes dark: the darkest half per cent goes to black, but not so far that the grain of the paper shows. */
function stretch({ data, width }: GreyImage): Uint8Array {
  const ink = percentile(data, 0.005)
  const grain = Math.max(grainOf(data, width), 0.5)
  const gain = Math.min(4, 250 / Math.max(250 - ink, 1), Math.max(1, 30 / grain))
  if (gain < 1.15) return data
  const table = Uint8Array.from({ length: 256 }, (_, value) => Math.min(255, Math.max(0, 250 - (250 - value) * gain)))
  return data.map((value) => table[value] ?? 255)
}

/** How much neighbouring pixels of the paper differ, in steps of brightness. */
export function grainOf(data: Uint8Array, width: number): number {
  const differences = new Uint8Array(Math.floor(data.length / 97))
  let count = 0
  for (let at = 0; at + 2 * width < data.length; at += 97) {
    const here = data[at] ?? 255
    if (here > 170) differences[count++] = Math.abs(here - (data[at + 1] ?? 255))
  }
  return percentile(differences.subarray(0, count), 0.68)
}
