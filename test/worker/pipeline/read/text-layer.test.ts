import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'
import type { OcrProvider, OcrWord } from '../../../../worker/providers/ocr/provider.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { sample } from '../../../support/samples.ts'

/** Says what it is told, and counts how often it was asked. */
function fakeOcr(words: readonly OcrWord[] = []): OcrProvider & { readonly asked: () => number } {
  let asked = 0
  return {
    name: 'fake',
    version: '1',
    recognise: async () => {
      asked++
      return { words, confidence01: words.length === 0 ? 0 : 0.9 }
    },
    close: async () => {},
    asked: () => asked,
  }
}

async function readPages(path: string, { ocr = fakeOcr(), saved = [] as number[] } = {}): Promise<Page[]> {
  const pages: Page[] = []
  const file = { path, mimeType: 'application/pdf', saved }
  for await (const page of readFile(file, { ocr, signal: new AbortController().signal })) pages.push(page)
  return pages
}

async function written(name: string, bytes: Buffer): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), name)
  await writeFile(path, bytes)
  return path
}

const texts = (page: Page | undefined): string => page?.words.map(({ text }) => text).join(' ') ?? ''

void test('words of a text layer come with the boxes of their ink, and no OCR is asked', async (t) => {
  const ocr = fakeOcr()
  const [page] = await readPages(sample('lab-report-us.pdf'), { ocr })
  t.equal(page?.source, 'text_layer')
  t.equal(ocr.asked(), 0)
  const word = page?.words.find(({ text }) => text === 'HEMATOCRIT')
  const value = page?.words.find(({ text }) => text === '29.1')
  t.ok(word !== undefined && word.box[2] > word.box[0] && word.box[3] - word.box[1] < 0.02)
  t.ok(Math.abs((word?.box[3] ?? 0) - (value?.box[3] ?? 1)) < 0.004, 'name and value stand on one line')
})

void test('bold type is told from plain', async (t) => {
  const [page] = await readPages(sample('lab-report-us.pdf'))
  const isBold = (text: string): boolean | undefined => page?.words.find((word) => word.text === text)?.isBold
  t.equal(isBold('MERIDIAN'), true)
  t.equal(isBold('KOHLER,'), false)
})

void test('pages that are saved are not read again', async (t) => {
  const path = sample('discharge-summary-two-pages.pdf')
  const whole = await readPages(path)
  t.equal(whole.length, 2)
  t.same(await readPages(path, { saved: [1] }), whole.slice(1))
  t.same(await readPages(path, { saved: [2] }), whole.slice(0, 1))
})

void test('a hidden text layer is not believed: the scan is read', async (t) => {
  const ocr = fakeOcr([{ text: 'RADIOLOGY', confidence01: 0.9, box: [100, 100, 300, 140], line: 0, block: 0 }])
  const [page] = await readPages(sample('scan-with-false-text-layer.pdf'), { ocr })
  t.equal(page?.source, 'ocr')
  t.equal(texts(page), 'RADIOLOGY')
})

void test('invisible words beside visible ones are left out', async (t) => {
  const lines = [
    { text: 'Cholesterol 5.1 mmol/L', x: 72, y: 700 },
    { text: 'Cholesterol 9.9 mmol/L', x: 72, y: 600, renderMode: 3 },
  ]
  const [page] = await readPages(await written('hidden.pdf', pdfOfLines([lines])))
  t.equal(texts(page), 'Cholesterol 5.1 mmol/L')
})

void test('glyphs without letters are read by OCR', async (t) => {
  const ocr = fakeOcr()
  const [page] = await readPages(sample('glyphs-without-letters.pdf'), { ocr })
  t.equal(page?.source, 'ocr')
  t.ok(ocr.asked() > 0)
})

void test('a page that is shown turned is read upright', async (t) => {
  const lines = [{ text: 'Potassium 4.2', x: 72, y: 700 }]
  const [page] = await readPages(await written('turned.pdf', pdfOfLines([lines], { pageEntries: '/Rotate 90' })))
  t.equal(texts(page), 'Potassium 4.2')
  t.same([page?.rotation, page?.widthPt, page?.heightPt], [270, 612, 792])
  const [name, value] = page?.words ?? []
  t.ok((name?.box[2] ?? 1) < (value?.box[0] ?? 0))
})

void test('an abort ends the reading at once', async (t) => {
  const controller = new AbortController()
  const file = { path: sample('lab-report-us.pdf'), mimeType: 'application/pdf' }
  const pages = readFile(file, { ocr: fakeOcr(), signal: controller.signal })
  controller.abort(new Error('lease lost'))
  await t.rejects(pages.next(), { message: 'lease lost' })
})
