import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
import { createPictureRoom } from '../../../../worker/pipeline/read/picture-room.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'
import type { FileToRead, ReadOptions } from '../../../../worker/pipeline/read/read-file.ts'
import { ocrRateLimited, ocrRefused, ocrUnavailable } from '../../../../worker/providers/ocr/provider.ts'
import type { OcrImage, OcrProvider, OcrResult } from '../../../../worker/providers/ocr/provider.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { eventually } from '../../../support/signals.ts'

const words = ['Haemoglobin', 'Potassium', 'Creatinine'].map((text, line) => {
  return { text, confidence01: 0.9, box: [10, 10 + 20 * line, 90, 24 + 20 * line] as const, line, block: 0 }
})
const answer: OcrResult = { words, confidence01: 0.9 }

type Asked = { readonly image: OcrImage; readonly answer: (result?: OcrResult) => void }

/** Answers when the test says so. */
function heldOcr() {
  const asked: Asked[] = []
  const ocr: OcrProvider = {
    name: 'held',
    version: '1',
    recognise: (image) => {
      const { promise, resolve } = Promise.withResolvers<OcrResult>()
      asked.push({ image, answer: (result = answer) => resolve(result) })
      return promise
    },
    close: async () => {},
  }
  const until = (count: number) =>
    eventually(async () => {
      if (asked.length < count) throw new Error(`${asked.length} pictures were shown`)
    })
  return { ocr, asked, until }
}

/** Pictures are shown in the order of their pages; `failing` says what becomes of the nth that is shown. */
function failingOcr(failing: (shown: number, image: OcrImage) => unknown, service: Partial<OcrProvider> = {}) {
  let shown = 0
  const ocr: OcrProvider = {
    name: 'failing',
    version: '1',
    recognise: async (image) => {
      shown += 1
      const error = failing(shown, image)
      if (error !== null) throw error
      return answer
    },
    close: async () => {},
    ...service,
  }
  return { ocr, shown: () => shown }
}

const oneByOne = () => createPictureRoom({ pictures: 1, bytes: 1e9 })

async function scanOf(pages: number): Promise<FileToRead> {
  const blank = { width: 100, height: 120, channels: 3, background: 'white' } as const
  const sheet = await sharp({ create: blank }).png().toBuffer()
  const sheets = Array.from({ length: pages }, () => sheet)
  const joined = pages === 1 ? sharp(sheet) : sharp(sheets, { join: { animated: true } })
  return { path: await written('scan.tif', await joined.tiff().toBuffer()), mimeType: 'image/tiff', pageCount: pages }
}

async function written(name: string, bytes: Buffer): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), name)
  await writeFile(path, bytes)
  return path
}

async function pagesOf(file: FileToRead, options: Omit<ReadOptions, 'signal'>): Promise<Page[]> {
  const pages: Page[] = []
  for await (const page of readFile(file, { signal: new AbortController().signal, ...options })) pages.push(page)
  return pages.toSorted((a, b) => a.number - b.number)
}

void test('as many pictures as there is room for are read side by side, and the others wait', async (t) => {
  const { ocr, asked, until } = heldOcr()
  const reading = pagesOf(await scanOf(4), { ocr, room: createPictureRoom({ pictures: 2, bytes: 1e9 }) })
  await until(2)
  asked[1]?.answer()
  await until(3)
  t.equal(asked.length, 3, 'the first is still being read, and one has come in for the second')
  for (const count of [3, 4]) {
    await until(count)
    for (const picture of asked) picture.answer()
  }
  t.same(
    (await reading).map(({ number, source }) => [number, source]),
    [1, 2, 3, 4].map((number) => [number, 'ocr']),
  )
})

void test('two files share the room, in turn', async (t) => {
  const { ocr, asked, until } = heldOcr()
  const room = oneByOne()
  const reading = Promise.all([pagesOf(await scanOf(2), { ocr, room }), pagesOf(await scanOf(2), { ocr, room })])
  for (let shown = 1; shown <= 4; shown++) {
    await until(shown)
    t.equal(asked.length, shown, 'never two')
    asked.at(-1)?.answer()
  }
  t.same(
    (await reading).map((pages) => pages.length),
    [2, 2],
  )
})

void test('pictures that are large together are read one after another', async (t) => {
  const { ocr, asked, until } = heldOcr()
  const reading = pagesOf(await scanOf(2), { ocr, room: createPictureRoom({ pictures: 9, bytes: 1 }) })
  await until(1)
  t.equal(asked.length, 1)
  asked[0]?.answer()
  await until(2)
  asked[1]?.answer()
  t.equal((await reading).length, 2)
})

void test('only the pages that are missing are read, wherever they lie', async (t) => {
  const { ocr, shown } = failingOcr(() => null)
  const scan = await scanOf(5)
  t.same(
    (await pagesOf({ ...scan, saved: [2, 4] }, { ocr })).map(({ number }) => number),
    [1, 3, 5],
  )
  t.equal(shown(), 3)
  t.same(await pagesOf({ ...scan, saved: [1, 2, 3, 4, 5] }, { ocr }), [])
})

void test('a picture that could not be read is tried once more, coarser, and its words lie where they are', async (t) => {
  const first: OcrImage[] = []
  const { ocr, shown } = failingOcr((_, image) => {
    first.push(image)
    return first.length === 1 ? ocrUnavailable() : null
  })
  const [page] = await pagesOf(await scanOf(1), { ocr })
  t.equal(shown(), 2)
  const [fine, coarse] = first
  t.ok(fine !== undefined && coarse !== undefined && coarse.widthPx < fine.widthPx && coarse.dpi < fine.dpi)
  t.equal((await sharp(coarse?.png).metadata()).width, coarse?.widthPx)
  const right = (page?.words[0]?.box[2] ?? 0) * (coarse?.widthPx ?? 0)
  t.ok(Math.abs(right - 90) < 1, 'the fake has its words at the same pixels of the coarser picture')
})

void test('a page that cannot be read is told as that, and the others are read', async (t) => {
  const causes = {
    'its reader dies of it': ocrUnavailable(),
    'its reader refuses it': ocrRefused(),
    'its reader never ends': new DOMException('too long', 'TimeoutError'),
  }
  for (const [cause, error] of Object.entries(causes)) {
    // The second page is shown second and third.
    const { ocr } = failingOcr((shown) => (shown === 2 || shown === 3 ? error : null))
    const pages = await pagesOf(await scanOf(3), { ocr, room: oneByOne() })
    t.same(
      pages.map(({ quality, words: found }) => [quality.grade, found.length]),
      [
        ['fair', 3],
        ['unreadable', 0],
        ['fair', 3],
      ],
      cause,
    )
    t.match(pages[1]?.quality.reason, /could not be read/)
  }
})

void test('a reader that reads nothing at all is out of order: no page is written off', async (t) => {
  const { ocr, shown } = failingOcr(() => ocrUnavailable())
  await t.rejects(pagesOf(await scanOf(2), { ocr }), { code: 'ocr_unavailable' })
  t.equal(shown(), 4, 'each page had its second try')
})

void test('a service that is away ends the reading at once; a picture that it refuses does not', async (t) => {
  const away = failingOcr((shown) => (shown === 2 ? ocrUnavailable() : null), { picturesAtOnce: 4 })
  await t.rejects(pagesOf(await scanOf(4), { ocr: away.ocr, room: oneByOne() }), { code: 'ocr_unavailable' })
  t.equal(away.shown(), 2)
  const refusing = failingOcr((shown) => (shown === 2 || shown === 3 ? ocrRefused() : null), { picturesAtOnce: 4 })
  const pages = await pagesOf(await scanOf(3), { ocr: refusing.ocr, room: oneByOne() })
  t.equal(pages[1]?.quality.grade, 'unreadable')
})

void test('a picture that is with a service when another meets its limit is not shown again', async (t) => {
  const { ocr, asked, until } = heldOcr()
  const limited: OcrProvider = {
    ...ocr,
    picturesAtOnce: 2,
    recognise: (image, options) =>
      asked.length < 2 ? ocr.recognise(image, options) : Promise.reject(ocrRateLimited()),
  }
  const pages: number[] = []
  const reading = (async () => {
    const room = createPictureRoom({ pictures: 3, bytes: 1e9 })
    const options = { ocr: limited, room, signal: new AbortController().signal }
    for await (const page of readFile(await scanOf(3), options)) pages.push(page.number)
  })()
  await until(2)
  for (const picture of asked) picture.answer()
  await t.rejects(reading, { code: 'ocr_rate_limited' })
  t.same(
    pages.toSorted((a, b) => a - b),
    [1, 2],
  )
})

void test('a page that fills the memory of its reader is left out, and reading goes on behind it', async (t) => {
  const lines = Array.from({ length: 4 }, (_, page) => [{ text: `Page ${page + 1}`, x: 72, y: 700 }])
  const bomb = deflateSync(deflateSync(Buffer.alloc(300_000_000, ' ')))
  const path = await written(
    'bomb.pdf',
    pdfOfLines(lines, {
      objects: {
        // What the second page shows.
        13: `<< /Length ${bomb.length} /Filter [/FlateDecode /FlateDecode] >>\nstream\n${bomb.toString('latin1')}\nendstream`,
      },
    }),
  )
  const limits = { answerTimeoutMs: 60_000, maxRssBytes: 250_000_000 }
  const pages = await pagesOf(
    { path, mimeType: 'application/pdf', pageCount: 4 },
    { ...failingOcr(() => null), limits },
  )
  t.same(
    pages.map(({ number, words: found, quality }) => [number, found.length, quality.grade]),
    [
      [1, 2, 'good'],
      [2, 0, 'unreadable'],
      [3, 2, 'good'],
      [4, 2, 'good'],
    ],
  )
  t.equal(pages[1]?.quality.reason, 'This page is too large to be opened.')
})
