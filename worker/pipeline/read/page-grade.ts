import type { PageQuality, Word } from '../../../clinical/document/page.ts'
import type { Recognised } from './recognise-page.ts'

const retake = 'Hardly anything could be read. Please scan the page or take the picture again in good light.'
const hardToRead = 'Parts of this page are hard to read.'
const leftOut = 'Parts of this page could not be read. Please compare them with the page.'

/** How sure the reading is and how much it left out say more than the looks of the picture; the looks give the reason. */
export function gradePage(picture: PageQuality, { words, confidence01, unread01 }: Recognised): PageQuality {
  if (words.length === 0) return { grade: 'unreadable', reason: picture.reason ?? 'No text was found on this page.' }
  if (confidence01 < 0.5) return { grade: 'unreadable', reason: picture.reason ?? retake }
  if (confidence01 < 0.72)
    return { grade: 'poor', reason: picture.reason ?? 'Much of this page is hard to read. Please check it.' }
  if (unread01 > mostLeftOut) return { grade: 'fair', reason: picture.reason ?? leftOut }
  if (confidence01 < 0.9 || unsureShare(words) > mostUnsure)
    return { grade: 'fair', reason: picture.reason ?? hardToRead }
  return { grade: picture.grade === 'good' ? 'good' : 'fair', reason: picture.reason }
}

const mostLeftOut = 0.08
const sureOfWord = 0.6
const mostUnsure = 0.06

function unsureShare(words: readonly Word[]): number {
  return words.filter(({ confidence01 }) => confidence01 < sureOfWord).length / words.length
}
