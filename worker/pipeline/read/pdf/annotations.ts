/**
 * What was written onto a page afterwards: values of form fields, typed notes, stamps, strokes through a line. PDFium's
 * text of a page knows none of it, so it is made part of the page before that is read.
 */
import { openPage, openScratch } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { shownBox } from './drawn-objects.ts'

export type PrintedPage = {
  readonly page: PdfPage
  /** Where words are marked as struck out: how that is drawn is often left to whoever shows the page. */
  readonly struckOut: readonly Box[]
}

const kinds = { strikeOut: 12 }
/** Links, and the notes behind an icon or in a window of their own, print nothing. */
const unprinted = new Set([1, 2, 16])
/** Bits of an annotation that is not to be seen: hidden, not shown. */
const unseen = 2 | 32
const mostAnnotations = 5000
const mostMarks = 1000

/** The page to read, with its annotations drawn into it. */
export function openPageAsPrinted(document: PdfDocument, index: number): PrintedPage | null {
  const page = openPage(document, index)
  if (page === null) return null
  const annotated = readAnnotations(document, page)
  if (!annotated.isPrinted) return { page, struckOut: [] }
  const { pdfium, form } = document
  if (form !== 0) pdfium.call('FORM_OnAfterLoadPage', page.pointer, form)
  pdfium.call('FPDFPage_Flatten', page.pointer, 0)
  if (form !== 0) pdfium.call('FORM_OnBeforeClosePage', page.pointer, form)
  page.close()
  const printed = openPage(document, index)
  return printed === null ? null : { page: printed, struckOut: annotated.struckOut }
}

function readAnnotations({ pdfium }: PdfDocument, page: PdfPage): { isPrinted: boolean; struckOut: Box[] } {
  const scratch = openScratch(pdfium, 32)
  const struckOut: Box[] = []
  let isPrinted = false
  const count = Math.min(pdfium.call('FPDFPage_GetAnnotCount', page.pointer), mostAnnotations)
  for (let i = 0; i < count; i++) {
    const annotation = pdfium.call('FPDFPage_GetAnnot', page.pointer, i)
    if (annotation === 0) continue
    const subtype = pdfium.call('FPDFAnnot_GetSubtype', annotation)
    const isSeen = (pdfium.call('FPDFAnnot_GetFlags', annotation) & unseen) === 0
    isPrinted ||= !unprinted.has(subtype)
    if (subtype === kinds.strikeOut && isSeen && struckOut.length < mostMarks)
      struckOut.push(...marksOf({ pdfium, page, scratch }, annotation))
    pdfium.call('FPDFPage_CloseAnnot', annotation)
  }
  scratch.free()
  return { isPrinted, struckOut }
}

type Asking = { readonly pdfium: PdfDocument['pdfium']; readonly page: PdfPage; readonly scratch: Scratch }

/** One for each line of text that it goes over. */
function marksOf({ pdfium, page, scratch }: Asking, annotation: number): Box[] {
  const count = Math.min(pdfium.call('FPDFAnnot_CountAttachmentPoints', annotation), mostMarks)
  return Array.from({ length: count }, (_, index): Box[] => {
    if (pdfium.call('FPDFAnnot_GetAttachmentPoints', annotation, index, scratch.at) === 0) return []
    const [xs, ys] = [[0, 8, 16, 24].map(scratch.float), [4, 12, 20, 28].map(scratch.float)]
    return [shownBox(page, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])]
  }).flat()
}
