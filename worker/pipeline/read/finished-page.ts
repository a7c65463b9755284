/** What the child says of a page, and what its picture gave, put together as the page that is kept. */
import type { Page, PageQuality, PageSource, Word } from '../../../clinical/document/page.ts'
import type { OcrProvider } from '../../providers/ocr/provider.ts'
import type { ChildPage, WhyBroken } from './child-page.ts'
import { mergeWords } from './merge-words.ts'
import { gradePage } from './page-grade.ts'
import type { Recognised } from './recognise-page.ts'

type ReadPage = Extract<ChildPage, { kind: 'read' }>

const nothingToSay: PageQuality = { grade: 'good', reason: null }

/** Its words are all there is to read. */
export function pageOf(page: ChildPage): Page {
  return page.kind === 'broken' ? brokenPage(page.number, page.why) : finished(page, asStored(page, nothingToSay))
}

type Reader = { readonly ocr: OcrProvider; readonly looks: PageQuality }

export function pageOfPicture(page: ReadPage, recognised: Recognised, { ocr, looks }: Reader): Page {
  const engine = engineOf(ocr)
  if (page.verdict === 'none') {
    const { words, rotation } = recognised
    return finished(page, { source: 'ocr', engine, rotation, words, quality: gradePage(looks, recognised) })
  }

  // Words that stand the other way than the text layer belong to a picture that lies on its side.
  const isAlongside = recognised.rotation === page.rotation
  const words = isAlongside ? mergeWords(page.words, recognised.words) : page.words
  if (words.length === page.words.length) return finished(page, asStored(page, nothingToSay))
  const { rotation } = page
  return finished(page, { source: 'merged', engine: `pdfium, ${engine}`, rotation, words, quality: nothingToSay })
}

/** Its picture could not be read; the words of its text layer, if it has one, are there all the same. */
export function pageWithoutItsPicture(page: ReadPage, ocr: OcrProvider): Page {
  if (page.verdict !== 'none')
    return finished(page, asStored(page, { grade: 'poor', reason: 'The pictures on this page could not be read.' }))
  const { rotation } = page
  const quality = { grade: 'unreadable', reason: 'This page could not be read. You can have it read again.' } as const
  return finished(page, { source: 'ocr', engine: engineOf(ocr), rotation, words: [], quality })
}

const engineOf = ({ name, version }: OcrProvider) => `${name} ${version}`

type Finish = {
  readonly source: PageSource
  readonly engine: string
  readonly rotation: Page['rotation']
  readonly words: readonly Word[]
  readonly quality: PageQuality
}

function asStored({ source, rotation, words }: ReadPage, quality: PageQuality): Finish {
  return { source, rotation, words, quality, engine: source === 'text_layer' ? 'pdfium' : 'layout' }
}

function finished(page: ReadPage, { source, engine, rotation, words, quality }: Finish): Page {
  const isSideways = rotation === 90 || rotation === 270
  return {
    number: page.number,
    widthPt: isSideways ? page.heightPt : page.widthPt,
    heightPt: isSideways ? page.widthPt : page.heightPt,
    rotation,
    source,
    engine,
    quality,
    words,
    structure: page.structure ?? null,
  }
}

const damaged = 'This page is damaged and could not be opened.'
const reasons: { readonly [Why in WhyBroken]: string } = {
  crashed: damaged,
  timed_out: 'Opening this page took too long.',
  too_large: 'This page is too large to be opened.',
  left_out: 'This page was left out, as the pages before it could not be opened.',
}

/** What no reader has opened. */
export const noEngine = 'none'

function brokenPage(number: number, why: WhyBroken | undefined): Page {
  return {
    number,
    widthPt: 595,
    heightPt: 842,
    rotation: 0,
    source: 'text_layer',
    engine: noEngine,
    quality: { grade: 'unreadable', reason: why === undefined ? damaged : reasons[why] },
    words: [],
  }
}
