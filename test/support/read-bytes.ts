import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import type { Page } from '../../clinical/document/page.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'
import { readFile } from '../../worker/pipeline/read/read-file.ts'
import type { OcrProvider } from '../../worker/providers/ocr/provider.ts'

export const noOcr: OcrProvider = {
  name: 'none',
  version: '0',
  recognise: () => Promise.reject(new Error('nothing here is a picture')),
  close: async () => {},
}

/** The pages of a file that a test has made, read in the child like any other. */
export async function readBytes(
  bytes: Uint8Array | string,
  mimeType: string,
  ocr: OcrProvider = noOcr,
): Promise<Page[]> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-test-'))
  try {
    const path = join(folder, 'file')
    await writeFile(path, bytes)
    const pages: Page[] = []
    const options = { ocr, signal: new AbortController().signal }
    for await (const page of readFile({ path, mimeType }, options)) pages.push(page)
    return pages
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function mapBytes(bytes: Uint8Array | string, mimeType: string): Promise<MappedDocument> {
  return mapPages(await readBytes(bytes, mimeType))
}

export const rowsOf = (document: MappedDocument): string[][] =>
  document.lines
    .filter(({ table }) => table !== null)
    .map(({ cells }) => cells.map((cell) => document.text.slice(cell.start, cell.start + cell.length)))
