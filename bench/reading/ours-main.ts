/**
 * Reads and maps a file as the worker does, without a database: `node ours-main.ts <path> <mime type>`. In a process of
 * its own, as the other readers are, so that start-up counts for all.
 */
import type { Page } from '../../clinical/document/page.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'
import { readFile } from '../../worker/pipeline/read/read-file.ts'
import { createLocalOcr } from '../../worker/providers/ocr/index.ts'

const [path = '', mimeType = ''] = process.argv.slice(2)
const ocr = createLocalOcr()
const pages: Page[] = []
const reading = readFile({ path, mimeType }, { ocr, signal: new AbortController().signal })
for await (const page of reading) pages.push(page)
await ocr.close()
console.log(mapPages(pages).words.length)
