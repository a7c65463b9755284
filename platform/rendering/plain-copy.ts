/**
 * A PDF as PDFium understood it, written anew: not encrypted, every object in the open, streams as they are. Shows what
 * encryption, object streams and odd filters hide from a look at the bytes. In child processes only.
 */
import type { PdfDocument } from './pdfium.ts'

const withoutEncryption = 3

/** Null where PDFium could not write it, or where it grows past `maxBytes`. */
export function plainCopy({ pdfium, pointer }: PdfDocument, maxBytes: number): Buffer | null {
  const parts: Buffer[] = []
  let bytes = 0
  const write = (_self: number, data: number, size: number): number => {
    bytes += size
    if (bytes > maxBytes) return 0
    parts.push(Buffer.from(pdfium.heap().slice(data, data + size)))
    return 1
  }
  if (pdfium.table === null) return null
  // The table cannot grow. Nothing of PDFium's own is called by the null pointer.
  const index = 0
  pdfium.table.set(index, callableFromWasm(write))
  const writer = pdfium.alloc(8)
  const fields = new DataView(pdfium.heap().buffer)
  fields.setInt32(writer, 1, true)
  fields.setInt32(writer + 4, index, true)
  const isWritten = pdfium.call('FPDF_SaveAsCopy', pointer, writer, withoutEncryption) !== 0
  pdfium.free(writer)
  pdfium.table.set(index, null)
  return isWritten ? Buffer.concat(parts) : null
}

// The smallest module that takes a function (i32, i32, i32) → i32 and gives it out again as one of WebAssembly's.
const passing = Uint8Array.from(
  Buffer.from('0061736d0100000001080160037f7f7f017f02070101650166000007050101660000', 'hex'),
)

function callableFromWasm(callback: (self: number, data: number, size: number) => number): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(passing), { e: { f: callback } }).exports['f']
}
