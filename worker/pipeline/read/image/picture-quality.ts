/**
 * What can be said of a picture before it is read. Reasons are for the person who took it.
 */
import type { PageQuality } from '../../../../clinical/document/page.ts'
import type { GreyImage } from './grey-image.ts'
import { percentile, sampleOf } from './grey-image.ts'
import type { PreparedImage } from './prepare-image.ts'

const leastDpi = 110
const leastContrast = 35

export function judgePicture(picture: GreyImage, prepared: PreparedImage): PageQuality {
  const some = sampleOf(picture.data)
  const contrast = percentile(some, 0.75) - percentile(some, 0.005)
  if (contrast < leastContrast)
    return { grade: 'poor', reason: 'The print is too faint. Please take the picture again in better light.' }
  if (prepared.pictureDpi < leastDpi) {
    return {
      grade: 'fair',
      reason: 'The picture is small for a whole page. Please come closer or scan at 200 dpi or more.',
    }
  }
  const sharpness = sharpnessOf(prepared.image)
  if (sharpness < 0.12)
    return { grade: 'poor', reason: 'The picture is blurred. Please take it again with a steady hand.' }
  return { grade: 'good', reason: null }
}

/** How much of the contrast of letters is reached within two pixels; sharp print at 300 dpi gives 0.4 and more. */
function sharpnessOf({ data, width }: GreyImage): number {
  const steps = new Uint8Array(Math.ceil(data.length / 7))
  let count = 0
  for (let at = 2; at + 2 < data.length; at += 7) {
    const step = Math.abs((data[at + 1] ?? 0) - (data[at - 1] ?? 0))
    if (step > 20 && at % width > 2) steps[count++] = step
  }
  return count < 500 ? 1 : percentile(steps.subarray(0, count), 0.9) / 255
}
