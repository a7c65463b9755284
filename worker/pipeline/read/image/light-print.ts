/**
 * Light print on dark ground (headings in coloured bars, heads of tables) becomes dark on light: tesseract takes such
 * bars for pictures and leaves their words out. Ground is what most of a neighbourhood is; a bar is ground that is dark,
 * wide and high enough for a line of text.
 */
import type { GreyImage } from './grey-image.ts'
import { percentile, shrink } from './grey-image.ts'

const factor = 4
const dark = 150
/** At 300 dpi: letters cover less than half of such a square, a bar covers all of it. */
const neighbourhood = 52
const leastWidth = 120
const leastHeight = 28

export function invertLightPrint(image: GreyImage, dpi: number): GreyImage {
  const small = shrink(image, factor)
  const scale = dpi / 300 / factor
  const reach = Math.max(2, Math.round((neighbourhood * scale) / 2))
  const mask = mostlyDark(small, reach)
  const bars = barsOf(mask, small).filter(
    ({ left, right, top, bottom, count }) =>
      right - left >= leastWidth * scale &&
      bottom - top >= leastHeight * scale &&
      count >= 0.6 * (right - left) * (bottom - top),
  )
  if (bars.length === 0) return image
  const data = image.data.slice()
  for (const bar of bars) invert({ image, mask, small, reach }, data, bar)
  return { ...image, data }
}

/** 1 where more than half of the square around a pixel is dark. */
function mostlyDark({ data, width, height }: GreyImage, reach: number): Uint8Array {
  const across = new Uint16Array(data.length)
  for (let y = 0; y < height; y++) {
    const row = y * width
    let sum = 0
    for (let x = -reach; x < width; x++) {
      if (x + reach < width && (data[row + x + reach] ?? 255) < dark) sum++
      if (x - reach - 1 >= 0 && (data[row + x - reach - 1] ?? 255) < dark) sum--
      if (x >= 0) across[row + x] = sum
    }
  }
  const mask = new Uint8Array(data.length)
  const sums = new Int32Array(width)
  const half = (2 * reach + 1) ** 2 / 2
  for (let y = -reach; y < height; y++) {
    const enters = (y + reach) * width
    const leaves = (y - reach - 1) * width
    for (let x = 0; x < width; x++) {
      if (y + reach < height) sums[x] = (sums[x] ?? 0) + (across[enters + x] ?? 0)
      if (leaves >= 0) sums[x] = (sums[x] ?? 0) - (across[leaves + x] ?? 0)
      if (y >= 0 && (sums[x] ?? 0) > half) mask[y * width + x] = 1
    }
  }
  return mask
}

type Bar = { readonly id: number; left: number; right: number; top: number; bottom: number; count: number }

/** Connected areas of the mask; afterwards its pixels hold the number of their bar. */
function barsOf(mask: Uint8Array, { width, height }: GreyImage): Bar[] {
  const bars: Bar[] = []
  const waiting: number[] = []
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== 1 || bars.length >= mostBars) continue
    const bar: Bar = { id: bars.length + 2, left: width, right: 0, top: height, bottom: 0, count: 0 }
    bars.push(bar)
    waiting.push(start)
    mask[start] = bar.id
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const x = at % width
      const y = (at - x) / width
      bar.left = Math.min(bar.left, x)
      bar.right = Math.max(bar.right, x + 1)
      bar.top = Math.min(bar.top, y)
      bar.bottom = Math.max(bar.bottom, y + 1)
      bar.count++
      for (const next of [x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1, at - width, at + width]) {
        if (mask[next] !== 1) continue
        mask[next] = bar.id
        waiting.push(next)
      }
    }
  }
  return bars
}

const mostBars = 250

/** Half covered by the edge of a bar; left there, it is read as an underscore. */
const paleRim = 225

type Place = { readonly image: GreyImage; readonly mask: Uint8Array; readonly small: GreyImage; readonly reach: number }

/** The ground of the bar becomes white and its print black, whatever shades they had. */
function invert({ image, mask, small, reach }: Place, data: Uint8Array, bar: Bar): void {
  const { ground, print } = shadesOf(image, mask, bar)
  const isIn = (x: number, y: number): boolean => mask[y * small.width + x] === bar.id
  // A square window cuts the corners of a bar off and frays its edges: what is dark there is ground as well.
  const isRim = (x: number, y: number): boolean =>
    (small.data[y * small.width + x] ?? 255) < paleRim &&
    [-reach, 0, reach].some((dy) => [-reach, 0, reach].some((dx) => isIn(x + dx, y + dy)))
  for (let y = Math.max(0, bar.top - 1); y < Math.min(small.height, bar.bottom + 1); y++) {
    for (let x = Math.max(0, bar.left - 1); x < Math.min(small.width, bar.right + 1); x++) {
      const isBar = isIn(x, y)
      if (!isBar && !isRim(x, y)) continue
      for (let dy = 0; dy < factor; dy++) {
        const row = (y * factor + dy) * image.width + x * factor
        for (let at = row; at < row + factor; at++) {
          const share = ((image.data[at] ?? 255) - ground) / (print - ground)
          data[at] = isBar ? 250 - 235 * Math.min(1, Math.max(0, share)) : 250
        }
      }
    }
  }
}

function shadesOf(image: GreyImage, mask: Uint8Array, bar: Bar): { ground: number; print: number } {
  const width = Math.floor(image.width / factor)
  const inBar: number[] = []
  for (let y = bar.top; y < bar.bottom; y++) {
    for (let x = bar.left; x < bar.right; x++) {
      if (mask[y * width + x] === bar.id) inBar.push(image.data[y * factor * image.width + x * factor] ?? 0)
    }
  }
  const values = Uint8Array.from(inBar)
  const ground = percentile(values, 0.5)
  return { ground, print: Math.max(percentile(values, 0.98), ground + 40) }
}
