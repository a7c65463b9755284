import type { PdfPageText } from './pdf/read-pdf-page.ts'

export type ReadTask = { readonly path: string; readonly mimeType: string; readonly fromPage: number }

/** What the reading child says about a page. */
export type ChildPage = { readonly number: number; readonly pageCount: number } & (
  | ({ readonly kind: 'read' } & PdfPageText)
  | { readonly kind: 'broken' }
)

// Both sides are our own code in one version; the guards only tell the compiler so and catch a stray message.
export function isReadTask(message: unknown): message is ReadTask {
  return typeof message === 'object' && message !== null && 'path' in message && 'fromPage' in message
}

export function isChildPage(message: unknown): message is ChildPage {
  return typeof message === 'object' && message !== null && 'number' in message && 'kind' in message
}
