import type { GreyImage } from './grey-image.ts'
import type { Homography } from './homography.ts'

/** A picture of the given size whose pixels come from where `toSource` points; beyond the source its last pixels go on. */
export function warp(source: GreyImage, size: { width: number; height: number }, toSource: Homography): GreyImage {
  const { width, height } = size
  const data = new Uint8Array(width * height)
  const [a, b, c, d, e, f, g, h, i] = toSource
  const pixels = source.data
  const stride = source.width
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [px, py] = [x + 0.5, y + 0.5]
      const w = g * px + h * py + i
      const u = (a * px + b * py + c) / w - 0.5
      const v = (d * px + e * py + f) / w - 0.5
      const left = Math.min(Math.max(Math.floor(u), 0), stride - 2)
      const top = Math.min(Math.max(Math.floor(v), 0), source.height - 2)
      const du = Math.min(Math.max(u - left, 0), 1)
      const dv = Math.min(Math.max(v - top, 0), 1)
      const at = top * stride + left
      const upper = (pixels[at] ?? 255) * (1 - du) + (pixels[at + 1] ?? 255) * du
      const lower = (pixels[at + stride] ?? 255) * (1 - du) + (pixels[at + stride + 1] ?? 255) * du
      data[y * width + x] = upper * (1 - dv) + lower * dv + 0.5
    }
  }
  return { data, width, height }
}
