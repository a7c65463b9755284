/** What is used of pdf.js, so that types are checked without installing it (it belongs to bench/package.json). */
declare module 'pdfjs-dist/legacy/build/pdf.mjs' {
  type Item = { readonly str: string; readonly transform: readonly number[]; readonly width: number }
  type PdfJsPage = { getTextContent(): Promise<{ readonly items: readonly Item[] }>; cleanup(): void }
  export function getDocument(options: { readonly data: Uint8Array; readonly verbosity: number }): {
    readonly promise: Promise<{ readonly numPages: number; getPage(number: number): Promise<PdfJsPage> }>
  }
}
