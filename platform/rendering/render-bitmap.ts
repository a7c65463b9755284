import type { PdfDocument, PdfPage } from './pdfium.ts'

export type Bitmap = {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 4
}

const formats = { grey: { code: 1, channels: 1 }, colour: { code: 4, channels: 4 } } as const
const annotations = 0x01
const reverseByteOrder = 0x10
const white = 0xffffffff | 0

/** The page as shown, with filled-in form fields, on white. Colour comes as RGBA. */
export function renderBitmap(
  document: PdfDocument,
  page: PdfPage,
  { width, height, colour }: { readonly width: number; readonly height: number; readonly colour: 'grey' | 'colour' },
): Bitmap {
  const { pdfium } = document
  const { code, channels } = formats[colour]
  const bitmap = pdfium.call('FPDFBitmap_CreateEx', width, height, code, 0, 0)
  if (bitmap === 0) throw new Error('PDFium could not make a bitmap')
  try {
    const flags = annotations | (colour === 'colour' ? reverseByteOrder : 0)
    pdfium.call('FPDFBitmap_FillRect', bitmap, 0, 0, width, height, white)
    pdfium.call('FPDF_RenderPageBitmap', bitmap, page.pointer, 0, 0, width, height, 0, flags)
    if (document.form !== 0) {
      pdfium.call('FPDF_FFLDraw', document.form, bitmap, page.pointer, 0, 0, width, height, 0, flags)
    }
    return { data: copyRows(document, bitmap, { rowBytes: width * channels, height }), width, height, channels }
  } finally {
    pdfium.call('FPDFBitmap_Destroy', bitmap)
  }
}

// Rows may be padded.
function copyRows({ pdfium }: PdfDocument, bitmap: number, size: { rowBytes: number; height: number }): Uint8Array {
  const stride = pdfium.call('FPDFBitmap_GetStride', bitmap)
  const buffer = pdfium.call('FPDFBitmap_GetBuffer', bitmap)
  const heap = pdfium.heap()
  const data = new Uint8Array(size.rowBytes * size.height)
  for (let row = 0; row < size.height; row++) {
    const from = buffer + row * stride
    data.set(heap.subarray(from, from + size.rowBytes), row * size.rowBytes)
  }
  return data
}
