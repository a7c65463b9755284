/**
 * Dotted, dashed and half faded rules: tesseract reads them as words ("eee", "----") and takes them for the feet of the
 * line above. Each is a strip too low for letters with nothing above and below, which goes on from one piece of the
 * page's width to the next.
 */
import type { GreyImage } from './grey-image.ts'

/** All at 300 dpi. */
const pieceWidth = 96
const highest = 13
const clearance = 7
const leastPieces = 4
const drift = 5

/** Of the pixels of a row within a piece. */
const leastInk = 0.16
const clear = 0.05

export function eraseDashes(image: GreyImage, dpi: number): GreyImage {
  return darkLevels.reduce((erased, dark) => eraseAtLevel(erased, dpi, dark), image)
}

/** Faded rules show at the first level; at the second, grain around them does not hide them. */
const darkLevels = [190, 150]

function eraseAtLevel(image: GreyImage, dpi: number, dark: number): GreyImage {
  const scale = dpi / 300
  const piece = Math.max(16, Math.round(pieceWidth * scale))
  const pieces = Math.floor(image.width / piece)
  const ink = inkOfRows(image, { piece, pieces, dark })
  const strips = Array.from({ length: pieces }, (_, column) =>
    stripsOf(ink.subarray(column * image.height, (column + 1) * image.height), { piece, scale }),
  )
  const found = chained(strips, Math.max(2, drift * scale))
  if (found.length === 0) return image
  const data = image.data.slice()
  const soft = Math.ceil(4 * scale)
  for (const { column, top, bottom } of found) {
    const right = column === pieces - 1 ? image.width : (column + 1) * piece
    for (let y = Math.max(0, top - soft); y < Math.min(image.height, bottom + soft); y++) {
      for (let x = column * piece; x < right; x++)
        data[y * image.width + x] = Math.max(data[y * image.width + x] ?? 0, white)
    }
  }
  return { ...image, data }
}

const white = 245

/** Dark pixels of each row of each piece, piece by piece. */
function inkOfRows(
  { data, width, height }: GreyImage,
  { piece, pieces, dark }: { readonly piece: number; readonly pieces: number; readonly dark: number },
): Uint16Array {
  const ink = new Uint16Array(pieces * height)
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < pieces; column++) {
      const from = y * width + column * piece
      let count = 0
      for (let at = from; at < from + piece; at++) if ((data[at] ?? 255) < dark) count++
      ink[column * height + y] = count
    }
  }
  return ink
}

type Strip = { readonly top: number; readonly bottom: number }

function stripsOf(ink: Uint16Array, { piece, scale }: { readonly piece: number; readonly scale: number }): Strip[] {
  const strips: Strip[] = []
  const margin = Math.max(2, Math.round(clearance * scale))
  const quiet = clear * piece
  let lastInk = -margin
  for (let y = 0; y < ink.length; y++) {
    if ((ink[y] ?? 0) <= quiet) continue
    const top = y
    let most = 0
    while (y < ink.length && (ink[y] ?? 0) > quiet) most = Math.max(most, ink[y++] ?? 0)
    const below = ink.subarray(y, y + margin)
    const isAlone = top - lastInk >= margin && below.every((count) => count <= quiet)
    if (isAlone && y - top <= highest * scale && most >= leastInk * piece) strips.push({ top, bottom: y })
    lastInk = y
  }
  return strips
}

type Placed = Strip & { readonly column: number }

/** Strips that go on in enough neighbouring pieces. */
function chained(strips: readonly (readonly Strip[])[], most: number): Placed[] {
  const found: Placed[] = []
  let open: Placed[][] = []
  for (const [column, here] of strips.entries()) {
    const next = here.map((strip) => {
      const before = open.find((chain) => Math.abs((chain.at(-1)?.top ?? -9e9) - strip.top) <= most)
      return [...(before ?? []), { ...strip, column }]
    })
    for (const chain of open) {
      const goesOn = next.some((longer) => longer.at(-2) === chain.at(-1))
      if (!goesOn && chain.length >= leastPieces) found.push(...chain)
    }
    open = next
  }
  return [...found, ...open.filter((chain) => chain.length >= leastPieces).flat()]
}
