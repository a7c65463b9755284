/**
 * What lies around a page is no print: the corners of a turned scan, the dark rim that a scanner leaves, the ground
 * under a photographed sheet that bows.
 */
import { rowLift } from './bend.ts'
import type { Bend } from './bend.ts'
import type { GreyImage } from './grey-image.ts'
import type { Homography } from './homography.ts'

const white = 250
const dark = 150
/** Of the longer side. Deeper than that, dark is a bar of the letterhead rather than a rim. */
const deepestRim = 0.025

/** White where no pixel of the source is. */
export function blankOutside(
  image: GreyImage,
  source: { readonly width: number; readonly height: number },
  { toSource, bend }: { readonly toSource: Homography; readonly bend: Bend },
): GreyImage {
  const { width, height, data } = image
  const [a, b, c, d, e, f, g, h, i] = toSource
  const [farX, farY] = [source.width - 1, source.height - 1]
  const lift = new Float64Array(width)
  const isOutside = (x: number, y: number): boolean => {
    const [px, py] = [x + 0.5, y + 0.5 + (lift[x] ?? 0)]
    const w = 1 / (g * px + h * py + i)
    const u = (a * px + b * py + c) * w
    const v = (d * px + e * py + f) * w
    return u < 1 || v < 1 || u > farX || v > farY
  }
  for (let y = 0; y < height; y++) {
    rowLift(bend, image, y + 0.5, lift)
    let left = 0
    while (left < width && isOutside(left, y)) left++
    let right = width
    while (right > left && isOutside(right - 1, y)) right--
    data.fill(white, y * width, y * width + left)
    data.fill(white, y * width + right, (y + 1) * width)
  }
  return image
}

/** Dark that reaches the edge of the picture is taken away as far as a rim goes. */
export function cleanRim(image: GreyImage): GreyImage {
  const { width, height, data } = image
  const depth = Math.round(deepestRim * Math.max(width, height))
  for (let y = 0; y < height; y++) {
    cleanFrom(data, { start: y * width, step: 1, depth })
    cleanFrom(data, { start: y * width + width - 1, step: -1, depth })
  }
  for (let x = 0; x < width; x++) {
    cleanFrom(data, { start: x, step: width, depth })
    cleanFrom(data, { start: (height - 1) * width + x, step: -width, depth })
  }
  return image
}

type Ray = { readonly start: number; readonly step: number; readonly depth: number }

const softEdge = 4

// The first pixels may be the pale edge of the sheet itself.
function cleanFrom(data: Uint8Array, { start, step, depth }: Ray): void {
  let first = 0
  while (first < softEdge && (data[start + first * step] ?? 255) >= dark) first++
  if (first === softEdge) return
  let last = first
  while (last < depth && (data[start + last * step] ?? 255) < dark) last++
  if (last === depth) return
  for (let count = 0; count < last + softEdge; count++) data[start + count * step] = white
}
