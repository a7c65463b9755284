import type { Finding } from './findings.ts'

/** What the scanning child saw in a file. */
export type Inspection = { readonly pageCount: number | null; readonly findings: readonly Finding[] }

export type ScanTask = {
  readonly path: string
  readonly mimeType: string | null
  readonly maxPages: number
  readonly maxPixels: number
}

/** The task comes from our own code in the same version; this only tells the compiler so. */
export function isScanTask(message: unknown): message is ScanTask {
  return typeof message === 'object' && message !== null && 'path' in message && 'maxPixels' in message
}
