import { askChildOnce } from '../child.ts'
import { defineError } from '../errors.ts'

/** `webp` is half of `png` for print and a tenth of it for a scan, and not quite the same. */
export type PictureFormat = 'png' | 'webp'

export type PageToRender = {
  readonly path: string
  readonly mimeType: string
  /** 1-based. */
  readonly page: number
  /** Of the upright picture. */
  readonly widthPx: number
  /** Quarter turns clockwise that make the page upright, as reading found them; boxes of words are upright. */
  readonly rotation?: 0 | 90 | 180 | 270
  readonly format?: PictureFormat
  readonly signal: AbortSignal
}

export const pageNotRendered = defineError('page_not_rendered', 422, 'This page cannot be shown as a picture.')

const limits = { answerTimeoutMs: 30_000, maxRssBytes: 1_500_000_000 }
const widths = { least: 16, most: 5000 }

/** A page in colour, drawn in a child process: the file may be hostile. */
export async function renderPage({
  signal,
  widthPx,
  rotation = 0,
  format = 'png',
  ...file
}: PageToRender): Promise<Buffer> {
  const picture = await askChildOnce({
    script: new URL('render-child.ts', import.meta.url),
    task: { ...file, rotation, format, widthPx: Math.min(Math.max(Math.round(widthPx), widths.least), widths.most) },
    limits,
    signal,
  })
  if (!(picture instanceof Uint8Array)) throw pageNotRendered({ page: file.page })
  return Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength)
}
