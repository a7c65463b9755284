import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import tap, { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'
import { createLocalOcr } from '../../../../worker/providers/ocr/index.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'
import { sample } from '../../../support/samples.ts'

// Without a tesseract of its own a machine needs several seconds a page.
tap.setTimeout(280_000)

const ocr = createLocalOcr()

async function readPages(path: string, mimeType: string): Promise<Page[]> {
  const pages: Page[] = []
  for await (const page of readFile({ path, mimeType }, { ocr, signal: new AbortController().signal })) pages.push(page)
  return pages
}

async function written(picture: Sharp, name: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), name)
  await picture.toFile(path)
  return path
}

// Read once for all who ask what is in it.
const photo = readPages(sample('lab-report-photo.jpg'), 'image/jpeg')

const find = (page: Page | undefined, text: string) => page?.words.find((word) => word.text === text)

void test('a photographed page is read, and its words lie where they stand in the picture', async (t) => {
  const [page] = await photo
  t.equal(page?.source, 'ocr')
  t.equal(page?.rotation, 0)
  const glucose = find(page, 'GLUCOSE')
  t.ok(glucose !== undefined, 'the word was read')
  // Measured in the picture by eye: the sheet fills the middle, the word stands left, a quarter down.
  t.ok(glucose !== undefined && glucose.box[0] > 0.12 && glucose.box[2] < 0.28)
  t.ok(glucose !== undefined && glucose.box[1] > 0.2 && glucose.box[3] < 0.27)
})

void test('rows of a photographed table stay rows', async (t) => {
  const document = mapPages(await photo)
  const row = document.lines.find((line) =>
    document.text.slice(line.start, line.start + line.length).startsWith('SODIUM'),
  )
  t.equal(row?.kind, 'table_row')
  const cells = row?.cells.map((cell) => document.text.slice(cell.start, cell.start + cell.length))
  t.same(cells, ['SODIUM', '143', '135-146', 'mmol/L'])
})

void test('a photo held sideways is turned, and its words lie where they stand in it', async (t) => {
  const path = await written(sharp(sample('lab-report-photo.jpg')).rotate(90), 'sideways.jpg')
  const [[upright], [page]] = await Promise.all([photo, readPages(path, 'image/jpeg')])
  t.equal(page?.rotation, 270)
  const [box, expected] = [find(page, 'CREATININE')?.box, find(upright, 'CREATININE')?.box]
  t.ok(box !== undefined && expected !== undefined)
  for (const edge of [0, 1, 2, 3] as const) t.ok(Math.abs((box?.[edge] ?? 9) - (expected?.[edge] ?? 0)) < 0.01)
})

void test('all pages of a TIFF are read, one after another', async (t) => {
  // Three words each: a page with fewer would be tried in all four directions.
  const [first, second] = await Promise.all([
    pictureOfText(['Sodium 140 mmol/L']),
    pictureOfText(['Potassium 4.2 mmol/L']),
  ])
  const tiff = sharp([Buffer.from(first.png), Buffer.from(second.png)], { join: { animated: true } }).tiff()
  const pages = await readPages(await written(tiff, 'two.tif'), 'image/tiff')
  t.same(
    pages.map((page) => [page.number, page.words[0]?.text]),
    [
      [1, 'Sodium'],
      [2, 'Potassium'],
    ],
  )
})

void test('an empty picture is unreadable, and says so', async (t) => {
  const empty = sharp({ create: { width: 800, height: 1000, channels: 3, background: 'white' } }).png()
  const [page] = await readPages(await written(empty, 'empty.png'), 'image/png')
  t.same(page?.words, [])
  t.equal(page?.quality.grade, 'unreadable')
  t.type(page?.quality.reason, 'string')
})

void test('the readers are ended', async () => {
  await ocr.close()
})
