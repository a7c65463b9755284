/**
 * Corners as Vision gives them: in pixels of the picture as it was sent, or in fractions of it; beginning at the top left of
 * the text as it is read, so that their order tells which way a word stands; a coordinate of 0 is left out.
 * https://cloud.google.com/vision/docs/reference/rest/v1/AnnotateImageResponse#boundingpoly
 */
import { z } from 'zod'
import type { OcrResult, OcrWord } from './provider.ts'

export type PixelBox = OcrWord['box']
export type Turn = NonNullable<OcrResult['uprightTurn']>
export type PictureSize = { readonly widthPx: number; readonly heightPx: number }

type Corner = { readonly x: number; readonly y: number }

const cornerSchema = z.object({
  x: z.number().nullish().catch(null),
  y: z.number().nullish().catch(null),
})
const cornersSchema = z.array(cornerSchema).nullish().catch(null)

export const polySchema = z.object({ vertices: cornersSchema, normalizedVertices: cornersSchema }).nullish().catch(null)
export type Poly = z.infer<typeof polySchema>

/** Empty where nothing is said of the place. */
export function cornersOf(poly: Poly | undefined, { widthPx, heightPx }: PictureSize): Corner[] {
  const pixels = poly?.vertices ?? []
  if (pixels.length > 0) return pixels.map(({ x, y }) => ({ x: x ?? 0, y: y ?? 0 }))
  const fractions = poly?.normalizedVertices ?? []
  return fractions.map(({ x, y }) => ({ x: (x ?? 0) * widthPx, y: (y ?? 0) * heightPx }))
}

/** Around the corners, inside of the picture; a pixel wide and high at least, so that what was read has a place. */
export function boxAround(corners: readonly Corner[], { widthPx, heightPx }: PictureSize): PixelBox | null {
  if (corners.length === 0) return null
  const [left, right] = rangeOf(
    corners.map(({ x }) => x),
    widthPx,
  )
  const [top, bottom] = rangeOf(
    corners.map(({ y }) => y),
    heightPx,
  )
  return [left, top, right, bottom]
}

function rangeOf(values: readonly number[], size: number): [number, number] {
  const low = clamp(Math.min(...values), Math.max(size - 1, 0))
  return [low, Math.max(clamp(Math.max(...values), size), low + 1)]
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(Number.isFinite(value) ? value : 0, 0), most)
}

export function boxAroundBoxes(a: PixelBox, b: PixelBox): PixelBox {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]
}

/** The clockwise turn that brings a word upright, by the way from its first corner to its second; null: it says none. */
export function uprightTurnOf(corners: readonly Corner[]): Turn | null {
  const [first, second, third, fourth] = corners
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) return null
  const right = second.x - first.x + third.x - fourth.x
  const down = second.y - first.y + third.y - fourth.y
  if (right === 0 && down === 0) return null
  if (Math.abs(right) >= Math.abs(down)) return right > 0 ? 0 : 180
  return down > 0 ? 270 : 90
}

/** Where a box lies once the picture has been turned clockwise. */
export function turnedBox([left, top, right, bottom]: PixelBox, turn: Turn, size: PictureSize): PixelBox {
  const { widthPx, heightPx } = size
  if (turn === 0) return [left, top, right, bottom]
  if (turn === 90) return [heightPx - bottom, left, heightPx - top, right]
  if (turn === 180) return [widthPx - right, heightPx - bottom, widthPx - left, heightPx - top]
  return [top, widthPx - right, bottom, widthPx - left]
}
