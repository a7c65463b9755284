import sharp from 'sharp'
import type { OcrPicture } from '../child-page.ts'

type Sheet = Pick<OcrPicture, 'png' | 'widthPx' | 'heightPx' | 'dpi' | 'surface'>

/** Of the width and of the height: large enough for a few lines whichever way they run. */
const share = 0.36
const gridSide = 100
const step = 4
const dark = 200

/** The piece of a page with most print on it. */
export async function densestPiece(sheet: Sheet): Promise<Sheet> {
  const { data } = await sharp(sheet.png)
    .resize(gridSide, gridSide, { fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const side = Math.round(share * gridSide)
  let best = { left: 0, top: 0, ink: -1 }
  for (let top = 0; top + side <= gridSide; top += step) {
    for (let left = 0; left + side <= gridSide; left += step) {
      let ink = 0
      for (let y = top; y < top + side; y++) {
        for (let x = left; x < left + side; x++) if ((data[y * gridSide + x] ?? 255) < dark) ink++
      }
      if (ink > best.ink) best = { left, top, ink }
    }
  }
  const widthPx = Math.max(1, Math.floor(share * sheet.widthPx))
  const heightPx = Math.max(1, Math.floor(share * sheet.heightPx))
  const left = Math.floor((best.left / gridSide) * sheet.widthPx)
  const top = Math.floor((best.top / gridSide) * sheet.heightPx)
  const png = await sharp(sheet.png).extract({ left, top, width: widthPx, height: heightPx }).png().toBuffer()
  return { ...sheet, png, widthPx, heightPx }
}
