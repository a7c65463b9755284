import sharp from 'sharp'
import type { OcrProvider } from '../../providers/ocr/provider.ts'
import { ocrRefused } from '../../providers/ocr/provider.ts'
import type { OcrPicture } from './child-page.ts'
import { compose, scaling } from './image/homography.ts'
import { recognisePage } from './recognise-page.ts'
import type { Recognised } from './recognise-page.ts'

export type ReadPicture =
  | ({ readonly kind: 'read' } & Recognised)
  /** Twice; whether the picture or its reader is at fault shows in the other pages. */
  | { readonly kind: 'unread'; readonly error: unknown }

/** A picture that its reader refuses, dies of or never ends with is tried once more, coarser. */
export async function readPicture(picture: OcrPicture, ocr: OcrProvider, signal: AbortSignal): Promise<ReadPicture> {
  try {
    return { kind: 'read', ...(await recognisePage(picture, ocr, signal)) }
  } catch (error) {
    if (endsTheRun(error, ocr, signal)) throw error
  }
  try {
    return { kind: 'read', ...(await recognisePage(await coarser(picture), ocr, signal)) }
  } catch (error) {
    if (endsTheRun(error, ocr, signal)) throw error
    return { kind: 'unread', error }
  }
}

/** A service that is busy or away is so for all pages, and the run comes back when there is room. */
function endsTheRun(error: unknown, { picturesAtOnce }: OcrProvider, signal: AbortSignal): boolean {
  return signal.aborted || (picturesAtOnce !== undefined && !ocrRefused.matches(error))
}

const coarserBy = 0.6

async function coarser(picture: OcrPicture): Promise<OcrPicture> {
  const widthPx = Math.max(1, Math.round(picture.widthPx * coarserBy))
  const heightPx = Math.max(1, Math.round(picture.heightPx * coarserBy))
  const png = await sharp(picture.png)
    .resize(widthPx, heightPx, { fit: 'fill' })
    .toColourspace('b-w')
    .png({ compressionLevel: 2 })
    .toBuffer()
  const toPage = compose(picture.toPage, scaling(1 / coarserBy))
  return { ...picture, png, widthPx, heightPx, dpi: picture.dpi * coarserBy, toPage }
}
