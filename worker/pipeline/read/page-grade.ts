import type { PageQuality } from '../../../clinical/document/page.ts'
import type { Recognised } from './recognise-page.ts'

const retake = 'Hardly anything could be read. Please scan the page or take the picture again in good light.'

/** How sure the reading is says more than the looks of the picture; the looks give the reason. */
export function gradePage(picture: PageQuality, { words, confidence01 }: Recognised): PageQuality {
  if (words.length === 0) return { grade: 'unreadable', reason: 'No text was found on this page.' }
  if (confidence01 >= 0.85) return { grade: picture.grade === 'good' ? 'good' : 'fair', reason: picture.reason }
  if (confidence01 >= 0.72) return { grade: 'fair', reason: picture.reason ?? 'Parts of this page are hard to read.' }
  if (confidence01 >= 0.5)
    return { grade: 'poor', reason: picture.reason ?? 'Much of this page is hard to read. Please check it.' }
  return { grade: 'unreadable', reason: picture.reason ?? retake }
}
