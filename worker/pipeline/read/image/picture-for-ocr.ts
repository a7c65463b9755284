import sharp from 'sharp'
import type { OcrPicture } from '../child-page.ts'
import { grainOf } from './flatten-light.ts'
import type { GreyImage } from './grey-image.ts'
import { percentile, sampleOf, shrink } from './grey-image.ts'
import { judgePicture } from './picture-quality.ts'
import { prepareImage } from './prepare-image.ts'
import { smallFactor } from './unread-print.ts'

/** Grain above this makes tesseract slow and wrong; a median of three takes most of it away. */
const coarseGrain = 22
/** Below that a soft blur takes a third of the wrong letters away, and harms thin strokes less than a median. */
const fineGrain = 3
/** Darker pixels are print. */
const darkestPaper = 150
/** Pictures that were drawn larger have grain of several pixels. */
const apart = 4

async function smoothed({ data, width, height }: GreyImage, grain: number): Promise<Uint8Array> {
  if (grain <= fineGrain) return data
  const sheet = sharp(data, { raw: { width, height, channels: 1 } })
  const smooth = grain > coarseGrain ? sheet.median(3).blur(0.7) : sheet.blur(1)
  return await smooth.toColourspace('b-w').raw().toBuffer()
}

/**
 * Tesseract parts ink from paper by one threshold for the whole page: greyish paper beside white (where rules were taken
 * away, around a turned scan) could end on the side of the ink. What is as light as most of the paper becomes white.
 */
function whiteFrom(data: Uint8Array): number {
  return Math.min(240, Math.max(180, percentile(sampleOf(data), 0.3)))
}

function whitened(data: Uint8Array, from: number): Uint8Array {
  const whiter = Uint8Array.from({ length: 256 }, (_, value) => Math.min(255, (value * 255) / from))
  const white = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) white[at] = whiter[data[at] ?? 255] ?? 255
  return white
}

/** The quickest that still takes away most of the bytes, which go to another process. */
const quickPng = { compressionLevel: 1 } as const

export async function pictureForOcr(picture: GreyImage, knownDpi: number | null): Promise<OcrPicture> {
  const prepared = prepareImage(picture, knownDpi)
  const { image } = prepared
  const { width, height } = image
  const grain = grainOf(image.data, image.width, darkestPaper, apart)
  const isGrainy = grain > coarseGrain
  const white = whitened(await smoothed(image, grain), whiteFrom(image.data))
  const sheet = sharp(white, { raw: { width, height, channels: 1 } }).toColourspace('b-w')
  return {
    png: await sheet.png(quickPng).toBuffer(),
    widthPx: width,
    heightPx: height,
    dpi: prepared.dpi,
    surface: isGrainy || prepared.hasCorners ? 'grainy' : 'clean',
    toPage: prepared.toPicture,
    bend: prepared.bend,
    turned: prepared.turned,
    quality: judgePicture(picture, prepared),
    small: shrink(image, smallFactor),
    lines: prepared.lines,
  }
}
