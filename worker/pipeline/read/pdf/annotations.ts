/**
 * What was written onto a page afterwards: values of form fields, typed notes, stamps, strokes through a line. PDFium's
 * text of a page knows none of it, so it is made part of the page before that is read.
 */
import { openPage } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, PdfPage } from '../../../../platform/rendering/pdfium.ts'

/** Links, and the notes behind an icon or in a window of their own, print nothing. */
const unprinted = new Set([1, 2, 16])
const mostAnnotations = 5000

/** The page to read, with its annotations drawn into it; `page` itself is closed where it is another one. */
export function openPageAsPrinted(document: PdfDocument, index: number): PdfPage | null {
  const page = openPage(document, index)
  if (page === null || !hasPrintedAnnotations(document, page)) return page
  const { pdfium, form } = document
  if (form !== 0) pdfium.call('FORM_OnAfterLoadPage', page.pointer, form)
  pdfium.call('FPDFPage_Flatten', page.pointer, 0)
  if (form !== 0) pdfium.call('FORM_OnBeforeClosePage', page.pointer, form)
  page.close()
  return openPage(document, index)
}

function hasPrintedAnnotations({ pdfium }: PdfDocument, page: PdfPage): boolean {
  const count = Math.min(pdfium.call('FPDFPage_GetAnnotCount', page.pointer), mostAnnotations)
  for (let i = 0; i < count; i++) {
    const annotation = pdfium.call('FPDFPage_GetAnnot', page.pointer, i)
    if (annotation === 0) continue
    const subtype = pdfium.call('FPDFAnnot_GetSubtype', annotation)
    pdfium.call('FPDFPage_CloseAnnot', annotation)
    if (!unprinted.has(subtype)) return true
  }
  return false
}
