import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import tap, { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
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

const find = (page: Page | undefined, text: string) => page?.words.find((word) => word.text === text)

void test('a scan that lies on its side or on its head is read upright', async (t) => {
  const [page] = await readPages(sample('scan-turned-sideways.pdf'), 'application/pdf')
  t.ok(page?.rotation === 90 || page?.rotation === 270)
  t.ok((page?.heightPt ?? 0) > (page?.widthPt ?? 1))
  const heading = find(page, 'Immunisation')
  t.ok(heading !== undefined && heading.box[1] < 0.2, 'the heading is at the top of the upright page')
})

void test('a picture that the camera marked as turned is read as it is shown', async (t) => {
  const { png } = await pictureOfText(['Ferritin 47 ug/L'])
  const turned = sharp(Buffer.from(png)).rotate(270).withMetadata({ orientation: 6 }).jpeg({ quality: 92 })
  const [page] = await readPages(await written(turned, 'turned.jpg'), 'image/jpeg')
  t.equal(page?.rotation, 0)
  t.equal(page?.words[0]?.text, 'Ferritin')
  t.ok((page?.heightPt ?? 0) > (page?.widthPt ?? 1))
})

void test('the readers are ended', async () => {
  await ocr.close()
})
