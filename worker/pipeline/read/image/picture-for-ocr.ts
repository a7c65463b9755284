import sharp from 'sharp'
import type { Sharp } from 'sharp'
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

function smoothed(sheet: Sharp, grain: number): Sharp {
  if (grain > coarseGrain) return sheet.median(3).blur(0.7)
  return grain > fineGrain ? sheet.blur(1) : sheet
}

/**
 * Tesseract parts ink from paper by one threshold for the whole page: greyish paper beside white (where rules were taken
 * away, around a turned scan) could end on the side of the ink. What is as light as most of the paper becomes white.
 */
function whiteFrom(data: Uint8Array): number {
  return Math.min(240, Math.max(180, percentile(sampleOf(data), 0.3)))
}

export async function pictureForOcr(picture: GreyImage, knownDpi: number | null): Promise<OcrPicture> {
  const prepared = prepareImage(picture, knownDpi)
  const { image } = prepared
  const raw = { width: image.width, height: image.height, channels: 1 } as const
  const grain = grainOf(image.data, image.width, darkestPaper, apart)
  const isGrainy = grain > coarseGrain
  const png = await smoothed(sharp(image.data, { raw }), grain)
    .linear(255 / whiteFrom(image.data), 0)
    .toColourspace('b-w')
    .png({ compressionLevel: 2 })
    .toBuffer()
  return {
    png,
    widthPx: image.width,
    heightPx: image.height,
    dpi: prepared.dpi,
    surface: isGrainy || prepared.hasCorners ? 'grainy' : 'clean',
    toPage: prepared.toPicture,
    bend: prepared.bend,
    turned: prepared.turned,
    quality: judgePicture(picture, prepared),
    small: shrink(image, smallFactor),
  }
}
