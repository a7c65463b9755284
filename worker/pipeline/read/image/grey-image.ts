/** Eight bits of brightness per pixel, row by row. */
export type GreyImage = { readonly data: Uint8Array; readonly width: number; readonly height: number }

export function brightnessAt(image: GreyImage, x: number, y: number): number {
  return image.data[y * image.width + x] ?? 255
}

/** Smaller by averaging whole blocks of pixels; what is left over of a row or column is cut off. */
export function shrink(image: GreyImage, factor: number): GreyImage {
  if (factor <= 1) return image
  const { data, width } = image
  const [blockWidth, blockHeight] = [Math.min(factor, width), Math.min(factor, image.height)]
  const [columns, rows] = [Math.floor(width / blockWidth), Math.floor(image.height / blockHeight)]
  const small = new Uint8Array(columns * rows)
  const area = blockWidth * blockHeight
  const sums = new Int32Array(columns)
  for (let y = 0; y < rows; y++) {
    sums.fill(0)
    for (let row = y * blockHeight; row < (y + 1) * blockHeight; row++) {
      let at = row * width
      for (let x = 0; x < columns; x++) {
        let sum = 0
        for (const end = at + blockWidth; at < end; at++) sum += data[at] ?? 255
        sums[x] = (sums[x] ?? 0) + sum
      }
    }
    for (let x = 0; x < columns; x++) small[y * columns + x] = (sums[x] ?? 0) / area
  }
  return { data: small, width: columns, height: rows }
}

const stride = 101

/** Enough pixels to know how bright a picture is. */
export function sampleOf(data: Uint8Array): Uint8Array {
  const some = new Uint8Array(Math.ceil(data.length / stride))
  for (let index = 0; index < some.length; index++) some[index] = data[index * stride] ?? 255
  return some
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
  for (let at = 0; at < data.length; at++) {
    const value = data[at] ?? 0
    counts[value] = (counts[value] ?? 0) + 1
  }
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
