import { readFile } from 'node:fs/promises'
import { loadPdfium, openPdf } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, PdfPage } from '../../../../platform/rendering/pdfium.ts'
import { renderBitmap } from '../../../../platform/rendering/render-bitmap.ts'
import type { ChildPage, OcrPicture, ReadTask } from '../child-page.ts'
import { openPageAsPrinted } from './annotations.ts'
import type { PrintedPage } from './annotations.ts'
import { readPdfPage } from './read-pdf-page.ts'

/** Called in the reading child only. */
export async function* readPdf(task: ReadTask): AsyncGenerator<ChildPage> {
  const document = openPdf(await loadPdfium(), await readFile(task.path))
  for (let index = task.fromPage - 1; index < document.pageCount; index++) {
    const place = { number: index + 1, pageCount: document.pageCount }
    const printed = openPageAsPrinted(document, index)
    yield printed === null ? { ...place, kind: 'broken' } : await readOrGiveUp(document, printed, place)
    printed?.page.close()
  }
}

// One page that PDFium cannot draw or take apart does not keep the others from being read.
async function readOrGiveUp(document: PdfDocument, printed: PrintedPage, place: PlaceInFile): Promise<ChildPage> {
  try {
    return await readPage(document, printed, place)
  } catch {
    return { ...place, kind: 'broken' }
  }
}

async function readPage(document: PdfDocument, printed: PrintedPage, place: PlaceInFile): Promise<ChildPage> {
  const { page } = printed
  const text = readPdfPage(document, printed)
  return {
    ...place,
    kind: 'read',
    source: 'text_layer',
    widthPt: page.widthPt,
    heightPt: page.heightPt,
    ...text,
    picture: text.verdict === 'whole' ? null : await renderForOcr(document, page),
  }
}

type PlaceInFile = { readonly number: number; readonly pageCount: number }

const readingDpi = 300
const mostPixels = 20e6

/** Pages of poster size are rendered coarser: 300 dpi of 200 inches would be 3.6 gigapixels. */
async function renderForOcr(document: PdfDocument, page: PdfPage): Promise<OcrPicture> {
  const areaInches = (page.widthPt / 72) * (page.heightPt / 72)
  const dpi = Math.min(readingDpi, Math.sqrt(mostPixels / areaInches))
  const width = Math.max(1, Math.round((page.widthPt / 72) * dpi))
  const height = Math.max(1, Math.round((page.heightPt / 72) * dpi))
  // Most pages have a text of their own, and then nothing that works on pixels is loaded.
  const { pictureForOcr } = await import('../image/picture-for-ocr.ts')
  const bitmap = renderBitmap(document, page, { width, height, colour: 'grey' })
  return await pictureForOcr(bitmap, dpi)
}
