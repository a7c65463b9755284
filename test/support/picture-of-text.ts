import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { renderPage } from '../../platform/rendering/render-page.ts'
import type { OcrImage } from '../../worker/providers/ocr/provider.ts'
import { pdfOfLines } from './pdf.ts'

const dpi = 200

/** Lines of text printed in Helvetica on a letter page and rendered, so no font of the machine is needed. */
export async function pictureOfText(lines: readonly string[]): Promise<OcrImage> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-test-'))
  try {
    const path = join(folder, 'text.pdf')
    await writeFile(path, pdfOfLines([lines.map((text, row) => ({ text, x: 72, y: 700 - row * 40, size: 14 }))]))
    const wanted = { mimeType: 'application/pdf', page: 1, widthPx: (612 / 72) * dpi }
    const picture = await renderPage({ path, ...wanted, signal: new AbortController().signal })
    const { data, info } = await sharp(picture).greyscale().png().toBuffer({ resolveWithObject: true })
    return { png: data, widthPx: info.width, heightPx: info.height, dpi, surface: 'clean' }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
