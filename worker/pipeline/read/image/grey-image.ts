/** Eight bits of brightness per pixel, row by row. */
export type GreyImage = { readonly data: Uint8Array; readonly width: number; readonly height: number }

export function brightnessAt(image: GreyImage, x: number, y: number): number {
  return image.data[y * image.width + x] ?? 255
}

/** Smaller by averaging whole blocks of pixels; the last block of a row or column may be cut off. */
export function shrink(image: GreyImage, factor: number): GreyImage {
  if (factor <= 1) return image
  const width = Math.max(1, Math.floor(image.width / factor))
  const height = Math.max(1, Math.floor(image.height / factor))
  const data = new Uint8Array(width * height)
  const area = factor * factor
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      for (let dy = 0; dy < factor; dy++) {
        const row = (y * factor + dy) * image.width + x * factor
        for (let dx = 0; dx < factor; dx++) sum += image.data[row + dx] ?? 255
      }
      data[y * width + x] = sum / area
    }
  }
  return { data, width, height }
}

const stride = 101

/** Enough pixels to know how bright a picture is. */
export function sampleOf(data: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: Math.ceil(data.length / stride) }, (_, index) => data[index * stride] ?? 255)
}

/** The brightness that a share of the pixels does not exceed. */
export function percentile(data: Uint8Array, share: number): number {
  const counts = new Uint32Array(256)
  for (let at = 0; at < data.length; at++) {
    const value = data[at] ?? 0
    counts[value] = (counts[value] ?? 0) + 1
  }
  let seen = 0
  for (let value = 0; value < 256; value++) {
    seen += counts[value] ?? 0
    if (seen >= share * data.length) return value
  }
  return 255
}

/** Otsu's threshold: the brightness that parts dark from light best. */
export function parting(data: Uint8Array): number {
  const counts = new Float64Array(256)
  for (const value of data) counts[value] = (counts[value] ?? 0) + 1
  const total = counts.reduce((sum, count, value) => sum + count * value, 0)
  let [weight, sum, best, threshold] = [0, 0, -1, 128]
  for (let value = 0; value < 255; value++) {
    weight += counts[value] ?? 0
    sum += (counts[value] ?? 0) * value
    const rest = data.length - weight
    if (weight === 0 || rest === 0) continue
    const between = weight * rest * (sum / weight - (total - sum) / rest) ** 2
    if (between > best) [best, threshold] = [between, value]
  }
  return threshold
}
