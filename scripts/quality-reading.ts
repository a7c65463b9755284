/**
 * Reads and maps a folder of the corpus and writes the scorers' output format.
 *   node scripts/quality-reading.ts --corpus FOLDER --kind scans --out /tmp/read.json [--match text] [--ocr wasm|native]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from '../clinical/document/page.ts'
import { mimeTypeOf } from './quality/read-document.ts'
import { readPages } from './quality/read-pages.ts'
import { mapPages } from '../worker/pipeline/map/map-pages.ts'
import { readFile } from '../worker/pipeline/read/read-file.ts'
import type { OcrProvider } from '../worker/providers/ocr/provider.ts'
import { createNativeTesseract, findNativeTesseract } from '../worker/providers/ocr/tesseract-native.ts'
import { createWasmTesseract } from '../worker/providers/ocr/tesseract-wasm.ts'

type Entry = { doc: string; file: string; kind: string }

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string', default: process.env['CORPUS_DIR'] ?? '' },
    kind: { type: 'string', default: 'scans' },
    match: { type: 'string', default: '' },
    out: { type: 'string', default: 'quality-reading.json' },
    ocr: { type: 'string', default: 'wasm' },
  },
})

const ocr = chooseOcr(options.ocr)
const entries: Entry[] = JSON.parse(readFileSync(join(options.corpus, 'index.json'), 'utf8'))
const documents: unknown[] = []
for (const entry of entries.filter(({ kind, doc }) => kind === options.kind && doc.includes(options.match))) {
  documents.push(await readEntry(entry))
}
writeFileSync(options.out, JSON.stringify(documents))
await ocr.close()

function chooseOcr(name: string): OcrProvider {
  const native = name === 'native' ? findNativeTesseract() : null
  return native === null ? createWasmTesseract() : createNativeTesseract(native.version)
}

async function readEntry({ doc, file }: Entry): Promise<unknown> {
  const started = performance.now()
  const pages: Page[] = []
  const mimeType = mimeTypeOf(file)
  try {
    const reading = readFile(
      { path: join(options.corpus, file), mimeType },
      { ocr, signal: AbortSignal.timeout(600_000) },
    )
    for await (const page of reading) pages.push(page)
  } catch (error) {
    console.log(doc, 'failed', error)
  }
  const readMs = performance.now() - started
  pages.sort((a, b) => a.number - b.number)
  const mapped = mapPages(pages)
  const grades = pages.map((page) => `${page.source} ${page.rotation} ${page.quality.grade}`).join(', ')
  console.log(
    `${doc}: ${pages.length} pages, ${Math.round(readMs / Math.max(pages.length, 1))} ms a page; ${grades}; ${mapped.documentClass}`,
  )
  return readPages(doc, pages)
}
