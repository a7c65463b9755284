import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'
import type { OcrProvider, OcrWord } from '../../../../worker/providers/ocr/provider.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import type { PdfExtras, PrintedLine } from '../../../support/pdf.ts'
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

async function textsOf(lines: readonly PrintedLine[], extras?: PdfExtras): Promise<string> {
  const [page] = await readPages(await written('page.pdf', pdfOfLines([lines], extras)))
  return texts(page)
}

void test('what nobody can see on the page is not read, whatever hides it', async (t) => {
  const lines = [
    { text: 'Allergies: penicillin', x: 72, y: 700 },
    { text: 'white on white', x: 72, y: 680, operators: '1 g' },
    { text: 'too small to see', x: 72, y: 660, size: 0.8 },
    { text: 'under a white box', x: 72, y: 640 },
    { text: 'under a black box', x: 72, y: 620 },
    { text: 'beside the paper', x: 700, y: 600 },
  ]
  const drawnOver = '1 g 60 635 200 16 re f 0 g 60 615 200 16 re f'
  t.equal(await textsOf(lines, { drawnOver }), 'Allergies: penicillin')
})

void test('pale or covered text that can still be seen is read', async (t) => {
  const lines = [
    { text: 'small grey print', x: 72, y: 700, size: 7, operators: '0.6 g' },
    { text: 'white on blue', x: 72, y: 680, operators: '0 0 0.6 rg 60 675 200 16 re f 1 g' },
    { text: 'under a pale stamp', x: 72, y: 620 },
  ]
  const extras = {
    drawnOver: '/pale gs 1 0 0 rg 60 615 200 16 re f',
    pageEntries: '/Resources << /Font << /plain 3 0 R >> /ExtGState << /pale << /ca 0.2 >> >> >>',
  }
  t.equal(await textsOf(lines, extras), 'small grey print white on blue under a pale stamp')
})

void test('what was filled into a form and typed over the page is read with it', async (t) => {
  const field = (entries: string): string => `<< /Type /Annot /F 4 /DA (/plain 11 Tf 0 g) ${entries} >>`
  const lines = [{ text: 'Name:', x: 72, y: 700 }]
  const text = await textsOf(lines, {
    pageEntries: '/Annots [100 0 R 101 0 R 102 0 R]',
    catalogue: '/AcroForm << /Fields [100 0 R] /DR << /Font << /plain 3 0 R >> >> >>',
    objects: {
      100: field('/Subtype /Widget /FT /Tx /T (name) /V (Anna Kohler) /Rect [120 695 300 712]'),
      101: field('/Subtype /FreeText /Contents (ceased 2021) /Rect [120 600 300 620]'),
      102: field('/Subtype /FreeText /Contents (not shown) /Rect [120 500 300 520] /F 2'),
    },
  })
  t.equal(text, 'Name: Anna Kohler ceased 2021')
})

void test('letters set apart are one word, and words printed twice for bold are one', async (t) => {
  const lines = [
    { text: 'R E S U L T S', x: 72, y: 700 },
    { text: 'BLOOD COUNT', x: 72, y: 680, operators: '5 Tc' },
    ...['Warfarin', 'Aspirin', 'Ramipril', 'Digoxin', 'Insulin', 'Morphine'].map((text, i) => ({
      text,
      x: 72,
      y: 600 - 20 * i,
    })),
    ...['Warfarin', 'Aspirin', 'Ramipril', 'Digoxin', 'Insulin', 'Morphine'].map((text, i) => ({
      text,
      x: 72.3,
      y: 600 - 20 * i,
    })),
  ]
  t.equal(await textsOf(lines), 'RESULTS BLOOD COUNT Warfarin Aspirin Ramipril Digoxin Insulin Morphine')
})

void test('a raised figure stays a power, and the mark of a foot note stays off the name', async (t) => {
  const raised = { size: 7, operators: '4 Ts' }
  const lines = [
    { text: '10', x: 72, y: 700 },
    { text: '9', x: 84.3, y: 700, ...raised },
    { text: '/L', x: 88.3, y: 700 },
    { text: 'Ferritin', x: 72, y: 680 },
    { text: '1', x: 106.4, y: 680, ...raised },
  ]
  t.equal(await textsOf(lines), '10⁹/L Ferritin ¹')
})

void test('a line set close below another is a line of its own', async (t) => {
  const lines = [
    { text: 'Plan:', x: 72, y: 700, size: 12 },
    { text: '1.', x: 72, y: 692, size: 12 },
  ]
  t.equal(await textsOf(lines), 'Plan: 1.')
})

void test('a page that cannot be read in the middle of a file does not keep the others from being read', async (t) => {
  const pdf = pdfOfLines([[{ text: 'first', x: 72, y: 700 }], [], [{ text: 'third', x: 72, y: 700 }]])
  const broken = Buffer.from(
    pdf.toString('latin1').replace('12 0 obj\n<< /Type /Page ', '12 0 obj\n<< /Typo /Nope '),
    'latin1',
  )
  const pages = await readPages(await written('broken.pdf', broken))
  t.same(pages.map(texts), ['first', '', 'third'])
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
