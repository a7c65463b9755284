/**
 * A thin binding to PDFium (WebAssembly). The package's own API hides boxes of characters, text render modes and page
 * objects; its module exports all of PDFium's C functions, so we call those. Only ever loaded in a child process: a
 * hostile file may make PDFium take gigabytes or never return.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PDFiumModule } from '@hyzyla/pdfium'

type Call = (...args: number[]) => number

/** PDFium's functions by C name (`FPDF_LoadPage`), and the heap that their pointers point into. */
export type Pdfium = {
  readonly call: (name: string, ...args: number[]) => number
  /** The function itself, for those that are called for each character of a page. */
  readonly named: (name: string) => Call
  /** Fresh on each call: growing memory detaches older views. */
  readonly heap: () => Uint8Array
  /** Of the functions that PDFium calls by index; those of ours that it may call back go there. */
  readonly table: WebAssembly.Table | null
  readonly alloc: (bytes: number) => number
  readonly free: (pointer: number) => void
}

export async function loadPdfium(): Promise<Pdfium> {
  const wasm = await readFile(createRequire(import.meta.url).resolve('@hyzyla/pdfium/pdfium.wasm'))
  const module = await PDFiumModule({ wasmBinary: new Uint8Array(wasm).buffer })
  const exports = new Map<string, Call>()
  let table: WebAssembly.Table | null = null
  for (const [name, value] of Object.entries<unknown>(module.wasmExports)) {
    if (isCall(value)) exports.set(name, value)
    if (value instanceof WebAssembly.Table) table = value
  }
  const named = (name: string): Call => {
    const fn = exports.get(name)
    if (fn === undefined) throw new Error(`PDFium has no function ${name}`)
    return fn
  }
  const call = (name: string, ...args: number[]): number => named(name)(...args)
  call('FPDF_InitLibrary')
  return {
    call,
    named,
    heap: () => module.HEAPU8,
    table,
    alloc: (bytes) => call('malloc', bytes),
    free: (pointer) => void call('free', pointer),
  }
}

function isCall(value: unknown): value is Call {
  return typeof value === 'function'
}

export type PdfDocument = {
  readonly pdfium: Pdfium
  readonly pointer: number
  readonly form: number
  readonly pageCount: number
  readonly close: () => void
}

const formInfoBytes = 256

/** Why PDFium would not open a file; `password` also stands for an unknown security handler. */
export class PdfNotOpened extends Error {
  readonly reason: 'password' | 'corrupt'
  constructor(reason: 'password' | 'corrupt') {
    super(`PDF not opened: ${reason}`)
    this.reason = reason
  }
}

export function openPdf(pdfium: Pdfium, bytes: Uint8Array): PdfDocument {
  const data = pdfium.alloc(bytes.length)
  pdfium.heap().set(bytes, data)
  const pointer = pdfium.call('FPDF_LoadMemDocument', data, bytes.length, 0)
  if (pointer === 0) {
    const error = pdfium.call('FPDF_GetLastError')
    pdfium.free(data)
    throw new PdfNotOpened(error === 4 || error === 5 ? 'password' : 'corrupt')
  }
  const form = openForm(pdfium, pointer)
  return {
    pdfium,
    pointer,
    form: form.handle,
    pageCount: pdfium.call('FPDF_GetPageCount', pointer),
    close: () => {
      if (form.handle !== 0) pdfium.call('FPDFDOC_ExitFormFillEnvironment', form.handle)
      pdfium.call('FPDF_CloseDocument', pointer)
      pdfium.free(form.info)
      pdfium.free(data)
    },
  }
}

// Values typed into form fields are drawn only by the form layer; scripts stay off, as no callbacks are given.
function openForm(pdfium: Pdfium, document: number): { handle: number; info: number } {
  const info = pdfium.alloc(formInfoBytes)
  pdfium.heap().fill(0, info, info + formInfoBytes)
  pdfium.heap()[info] = 2
  return { info, handle: pdfium.call('FPDFDOC_InitFormFillEnvironment', document, info) }
}

export type PdfPage = {
  readonly pointer: number
  /** As shown, so after the page's own /Rotate; in points. */
  readonly widthPt: number
  readonly heightPt: number
  /** Quarter turns clockwise of /Rotate. */
  readonly quarterTurns: 0 | 1 | 2 | 3
  /** The shown part in the page's own space: left, bottom, right, top. */
  readonly bounds: readonly [number, number, number, number]
  readonly close: () => void
}

/** Null when the page is so damaged that PDFium will not load it. `index` is 0-based. */
export function openPage(document: PdfDocument, index: number): PdfPage | null {
  const { pdfium } = document
  const pointer = pdfium.call('FPDF_LoadPage', document.pointer, index)
  if (pointer === 0) return null
  const turns = pdfium.call('FPDFPage_GetRotation', pointer)
  const bounds = withFloats(pdfium, 4, (at) => pdfium.call('FPDF_GetPageBoundingBox', pointer, at))
  const [left = 0, top = 0, right = 0, bottom = 0] = bounds
  return {
    pointer,
    widthPt: pdfium.call('FPDF_GetPageWidthF', pointer),
    heightPt: pdfium.call('FPDF_GetPageHeightF', pointer),
    quarterTurns: turns === 1 || turns === 2 || turns === 3 ? turns : 0,
    bounds: [left, bottom, right, top],
    close: () => void pdfium.call('FPDF_ClosePage', pointer),
  }
}

function withFloats(pdfium: Pdfium, count: number, fill: (at: number) => void): number[] {
  const at = pdfium.alloc(count * 4)
  fill(at)
  const view = new DataView(pdfium.heap().buffer)
  const values = Array.from({ length: count }, (_, i) => view.getFloat32(at + i * 4, true))
  pdfium.free(at)
  return values
}

/** Room for what PDFium's functions write through pointers; free it again. */
export type Scratch = {
  readonly at: number
  readonly int: (offset: number) => number
  readonly float: (offset: number) => number
  readonly double: (offset: number) => number
  readonly free: () => void
}

export function openScratch(pdfium: Pdfium, bytes: number): Scratch {
  const at = pdfium.alloc(bytes)
  let view = new DataView(pdfium.heap().buffer)
  // Memory that grew has detached the view.
  const current = (): DataView => (view.buffer.byteLength === 0 ? (view = new DataView(pdfium.heap().buffer)) : view)
  return {
    at,
    int: (offset) => current().getUint32(at + offset, true),
    float: (offset) => current().getFloat32(at + offset, true),
    double: (offset) => current().getFloat64(at + offset, true),
    free: () => pdfium.free(at),
  }
}

/** A point of the page's own space as a fraction of the page as shown, origin top left. */
export function toShown(page: PdfPage, x: number, y: number): [number, number] {
  const [left, bottom, right, top] = page.bounds
  const u = (x - left) / (right - left)
  const v = (top - y) / (top - bottom)
  if (page.quarterTurns === 0) return [u, v]
  if (page.quarterTurns === 1) return [1 - v, u]
  return page.quarterTurns === 2 ? [1 - u, 1 - v] : [v, 1 - u]
}
