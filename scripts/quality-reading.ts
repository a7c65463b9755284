/**
 * Reads and maps a folder of the corpus and writes the scorers' output format.
 *   node scripts/quality-reading.ts --corpus FOLDER --kind scans --out /tmp/read.json [--match text] [--ocr wasm|native]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from '../clinical/document/page.ts'
import { mapPages } from '../worker/pipeline/map/map-pages.ts'
import { turnBox } from '../worker/pipeline/read/geometry.ts'
import { readFile } from '../worker/pipeline/read/read-file.ts'
import type { OcrProvider } from '../worker/providers/ocr/provider.ts'
import { createNativeTesseract, findNativeTesseract } from '../worker/providers/ocr/tesseract-native.ts'
import { createWasmTesseract } from '../worker/providers/ocr/tesseract-wasm.ts'

type Entry = { doc: string; file: string; kind: string }

const mimeTypes: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.heic': 'image/heic',
  '.webp': 'image/webp',
  '.txt': 'text/plain',
  '.csv': 'text/plain',
  '.rtf': 'application/rtf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
}

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
  const mimeType = mimeTypes[extname(file)] ?? 'application/octet-stream'
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
  return {
    doc,
    facts: [],
    pages: pages.map((page) => ({
      page: page.number,
      text: mapped.lines
        .filter((line) => line.page === page.number)
        .map((line) => mapped.text.slice(line.start, line.start + line.length))
        .join('\n'),
      // The truth's boxes are those of the picture as it came in.
      words: page.words.map((word) => [word.text, ...turnBox(word.box, backTurn(page.rotation))]),
    })),
  }
}

function backTurn(rotation: Page['rotation']): Page['rotation'] {
  return rotation === 90 ? 270 : rotation === 270 ? 90 : rotation
}
