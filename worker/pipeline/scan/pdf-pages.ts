import type { PdfDocument } from '../../../platform/rendering/pdfium.ts'
import type { Finding } from './findings.ts'

const hugePagePt = 72 * 60
const sizeBytes = 8

/** Every page must be there and have a size; what is on it is for the reader. */
export function inspectPages({ pdfium, pointer, pageCount }: PdfDocument, maxPages: number): Finding[] {
  const findings = new Set<Finding>()
  const at = pdfium.alloc(sizeBytes)
  let opened = 0
  // A count that lies high is told from many pages by the last one allowed: it is not there.
  const isTooMany = pageCount > maxPages
  for (let index = isTooMany ? maxPages : 0; index < Math.min(pageCount, maxPages + 1); index++) {
    if (pdfium.call('FPDF_GetPageSizeByIndexF', pointer, index, at) === 0) {
      findings.add('damaged')
      continue
    }
    opened++
    const size = new DataView(pdfium.heap().buffer)
    if (Math.max(size.getFloat32(at, true), size.getFloat32(at + 4, true)) > hugePagePt) findings.add('huge_page')
  }
  pdfium.free(at)
  if (opened === 0) return ['corrupt']
  return isTooMany ? ['too_many_pages'] : [...findings]
}
