import { openPicture } from '../../../../platform/rendering/open-picture.ts'
import type { ChildPage, ReadTask } from '../child-page.ts'
import type { GreyImage } from './grey-image.ts'
import { pictureForOcr } from './picture-for-ocr.ts'

/** Cameras and editors write 72 or 96 where they know nothing. */
const lowestBelievableDpi = 100
const assumedDpi = 200

/** Photos and scans: JPEG, PNG, WebP, HEIC, and all pages of a TIFF. Called in the reading child only. */
export async function* readPictures({ path, mimeType, fromPage }: ReadTask): AsyncGenerator<ChildPage> {
  let pageCount = fromPage
  for (let number = fromPage; number <= pageCount; number++) {
    const opened = await openPicture(path, mimeType, number - 1)
    pageCount = opened.pageCount
    const image = await greyOf(opened.picture)
    const knownDpi = opened.density !== null && opened.density >= lowestBelievableDpi ? opened.density : null
    yield {
      kind: 'read',
      source: 'text_layer',
      number,
      pageCount,
      widthPt: (image.width / (knownDpi ?? assumedDpi)) * 72,
      heightPt: (image.height / (knownDpi ?? assumedDpi)) * 72,
      rotation: 0,
      words: [],
      verdict: 'none',
      picture: await pictureForOcr(image, knownDpi),
    }
  }
}

async function greyOf(picture: Awaited<ReturnType<typeof openPicture>>['picture']): Promise<GreyImage> {
  const { data, info } = await picture
    .autoOrient()
    .flatten({ background: 'white' })
    .greyscale()
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width: info.width, height: info.height }
}
