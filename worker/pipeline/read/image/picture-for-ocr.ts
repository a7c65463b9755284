import sharp from 'sharp'
import type { OcrPicture } from '../child-page.ts'
import { grainOf } from './flatten-light.ts'
import type { GreyImage } from './grey-image.ts'
import { judgePicture } from './picture-quality.ts'
import { prepareImage } from './prepare-image.ts'

/** Grain above this makes tesseract slow and wrong; a median of three takes most of it away. */
const coarseGrain = 12

export async function pictureForOcr(picture: GreyImage, knownDpi: number | null): Promise<OcrPicture> {
  const prepared = prepareImage(picture, knownDpi)
  const { image } = prepared
  const raw = { width: image.width, height: image.height, channels: 1 } as const
  const isGrainy = grainOf(image.data, image.width) > coarseGrain
  const sheet = sharp(image.data, { raw })
  const png = await (isGrainy ? sheet.median(3).blur(0.7) : sheet)
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
    turned: prepared.turned,
    quality: judgePicture(picture, prepared),
  }
}
