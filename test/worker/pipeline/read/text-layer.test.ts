import { test } from 'tap'
import { fileURLToPath } from 'node:url'
import type { Page } from '../../../../clinical/document/page.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'

const sample = (name: string): string => fileURLToPath(new URL(`../../../fixtures/documents/${name}`, import.meta.url))

async function readPages(name: string, fromPage = 1): Promise<Page[]> {
  const pages: Page[] = []
  const file = { path: sample(name), mimeType: 'application/pdf', fromPage }
  for await (const page of readFile(file, { signal: new AbortController().signal })) pages.push(page)
  return pages
}

void test('words of a text layer come with the boxes of their ink', async (t) => {
  const [page] = await readPages('lab-report-us.pdf')
  t.equal(page?.source, 'text_layer')
  const word = page?.words.find(({ text }) => text === 'HEMATOCRIT')
  const value = page?.words.find(({ text }) => text === '29.1')
  t.ok(word !== undefined && value !== undefined)
  t.ok(word !== undefined && word.box[2] > word.box[0] && word.box[3] - word.box[1] < 0.02)
  t.ok(Math.abs((word?.box[3] ?? 0) - (value?.box[3] ?? 1)) < 0.004, 'name and value stand on one line')
})

void test('bold type is told from plain', async (t) => {
  const [page] = await readPages('lab-report-us.pdf')
  const isBold = (text: string): boolean | undefined => page?.words.find((word) => word.text === text)?.isBold
  t.equal(isBold('MERIDIAN'), true)
  t.equal(isBold('KOHLER,'), false)
})

void test('reading goes on from any page', async (t) => {
  const whole = await readPages('discharge-summary-two-pages.pdf')
  const rest = await readPages('discharge-summary-two-pages.pdf', 2)
  t.equal(whole.length, 2)
  t.same(rest, whole.slice(1))
})

void test('an abort ends the reading at once', async (t) => {
  const controller = new AbortController()
  const pages = readFile(
    { path: sample('lab-report-us.pdf'), mimeType: 'application/pdf' },
    { signal: controller.signal },
  )
  controller.abort(new Error('lease lost'))
  await t.rejects(pages.next(), { message: 'lease lost' })
})
