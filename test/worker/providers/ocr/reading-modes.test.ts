import sharp from 'sharp'
import { test } from 'tap'
import { withSpare } from '../../../../worker/providers/ocr/index.ts'
import { mergeReadings } from '../../../../worker/providers/ocr/page-modes.ts'
import type { PageMode } from '../../../../worker/providers/ocr/page-modes.ts'
import type { OcrImage, OcrProvider, OcrWord } from '../../../../worker/providers/ocr/provider.ts'
import { readInModes } from '../../../../worker/providers/ocr/read-in-modes.ts'
import { wordsOfTsv } from '../../../../worker/providers/ocr/tesseract-tsv.ts'

const word = (text: string, confidence01: number, left = 100): OcrWord => ({
  text,
  confidence01,
  box: [left, 100, left + 20 * text.length, 130],
  line: 0,
  block: 1,
})

const image: OcrImage = {
  png: await sharp({ create: { width: 400, height: 300, channels: 3, background: 'white' } })
    .png()
    .toBuffer(),
  widthPx: 400,
  heightPx: 300,
  dpi: 300,
  surface: 'clean',
}

const limits = { firstMs: 60_000, nextMs: 60_000 }
const signal = new AbortController().signal

async function read(
  answers: Partial<Record<PageMode, readonly OcrWord[]>>,
): Promise<{ texts: string[]; asked: number }> {
  let asked = 0
  const { words } = await readInModes(
    image,
    (_, mode) => {
      asked++
      return Promise.resolve([...(answers[mode] ?? [])])
    },
    { signal, limits },
  )
  return { texts: words.map(({ text }) => text), asked }
}

void test('a page that is read surely is read once', async (t) => {
  t.same(await read({ 4: [word('Sodium', 0.96)], 6: [word('Sodiun', 0.97)] }), { texts: ['Sodium'], asked: 1 })
})

void test('words scattered on a page that is white otherwise are looked for once, wherever they stand', async (t) => {
  const asked: PageMode[] = []
  const { words } = await readInModes(
    { ...image, layout: 'scattered' },
    (_, mode) => {
      asked.push(mode)
      return Promise.resolve([word('4.8', 0.4)])
    },
    { signal, limits },
  )
  t.strictSame([asked, words.map(({ text }) => text)], [[11], ['4.8']])
})

void test('a page that is read unsurely is read a second time, and the surer words are kept', async (t) => {
  const answers = { 4: [word('Sodlum', 0.5)], 6: [word('Sodium', 0.93)] }
  t.same(await read(answers), { texts: ['Sodium'], asked: 2 })
})

void test('a number that is read in two ways keeps its point and is doubted', (t) => {
  const [value] = mergeReadings([word('16', 0.93)], [word('1.6', 0.9)])
  t.equal(value?.text, '1.6')
  t.ok((value?.confidence01 ?? 1) < 0.6)
  t.end()
})

void test('a page that takes too long is read coarser, and its boxes still lie in the whole picture', async (t) => {
  // Nothing else does: a time limit by itself lets a process end.
  const staysAlive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(staysAlive))
  const { words, confidence01 } = await readInModes(
    image,
    (picture, _mode, limit) =>
      picture.widthPx === image.widthPx
        ? new Promise((_resolve, reject) => limit.addEventListener('abort', () => reject(new Error('too long'))))
        : Promise.resolve([word('Sodium', 0.95, 50)]),
    { signal, limits: { firstMs: 1, nextMs: 60_000 } },
  )
  t.same(words[0]?.box.slice(0, 2), [100, 200])
  t.ok(confidence01 < 0.72, 'it is not taken for a good reading')
})

void test('a reader that breaks leaves the page to the other one; one that is told to stop does not', async (t) => {
  const broken: OcrProvider = {
    name: 'tesseract',
    version: '5',
    recognise: () => Promise.reject(new Error('no language data')),
    close: async () => {},
  }
  const spare: OcrProvider = {
    ...broken,
    recognise: () => Promise.resolve({ words: [word('Sodium', 0.9)], confidence01: 0.9 }),
  }
  const { words } = await withSpare(broken, spare).recognise(image, { signal })
  t.equal(words[0]?.text, 'Sodium')
  const stopped = AbortSignal.abort(new Error('lease lost'))
  await t.rejects(withSpare(broken, spare).recognise(image, { signal: stopped }), { message: 'lease lost' })
})

const row = (number: number, left: number, width: number, text: string): string =>
  ['5', '1', '1', '1', '1', String(number), String(left), '10', String(width), '20', '95', text].join('\t')

void test('a word whose box reaches over its neighbours ends where the next one begins', (t) => {
  const words = wordsOfTsv([row(1, 0, 500, 'Pantoprazole'), row(2, 210, 30, '40'), row(3, 250, 30, 'mg')].join('\n'))
  t.ok((words[0]?.box[2] ?? 999) <= 210)
  t.same(words[1]?.box.slice(0, 3), [210, 10, 240])
  t.end()
})

void test('a result and its flag are two words', (t) => {
  t.same(
    wordsOfTsv([row(1, 0, 80, '2.45H'), row(2, 100, 80, '*12L'), row(3, 200, 90, 'HLA-B27')].join('\n')).map(
      ({ text }) => text,
    ),
    ['2.45', 'H', '*', '12', 'L', 'HLA-B27'],
  )
  t.end()
})
