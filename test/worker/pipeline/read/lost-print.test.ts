import sharp from 'sharp'
import { test } from 'tap'
import { shrink } from '../../../../worker/pipeline/read/image/grey-image.ts'
import { withLostPrint } from '../../../../worker/pipeline/read/read-lost-print.ts'
import type { OcrImage, OcrProvider, OcrWord } from '../../../../worker/providers/ocr/provider.ts'

type Box = OcrWord['box']

const [width, height] = [1200, 1600]
const rows = Array.from({ length: 20 }, (_, row) => 100 + row * 60)
const names = rows.map((top): Box => [100, top, 400, top + 32])
const values = rows.map((top): Box => [800, top, 872, top + 32])

/** A page with bars of ink in these places. */
async function sheetWith(boxes: readonly Box[]) {
  const data = new Uint8Array(width * height).fill(255)
  for (const [left, top, right, bottom] of boxes)
    for (let y = top; y < bottom; y++) data.fill(20, y * width + left, y * width + right)
  const png = await sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer()
  return {
    png,
    widthPx: width,
    heightPx: height,
    dpi: 300,
    surface: 'clean',
    small: shrink({ data, width, height }, 8),
  } as const
}

const word = (box: Box, text: string, confidence01 = 0.96): OcrWord => ({ text, confidence01, box, line: 0, block: 0 })
const signal = new AbortController().signal

/** Finds words where it is told; keeps what it was shown. */
function readerOf(found: readonly OcrWord[]) {
  const shown: OcrImage[] = []
  const ocr: OcrProvider = {
    name: 'test',
    version: '1',
    recognise: (image) => {
      shown.push(image)
      return Promise.resolve({ words: found, confidence01: 0.9 })
    },
    close: () => Promise.resolve(),
  }
  return { ocr, shown }
}

const resultOf = (words: readonly OcrWord[]) => ({ words, confidence01: 0.96 })

void test('a column that the reader lost is read by itself and to be compared; what was read stays', async (t) => {
  const sheet = await sheetWith([...names, ...values])
  const known = names.map((box) => word(box, 'Sodium'))
  const { ocr, shown } = readerOf([...values.map((box) => word(box, '4.8')), word(names[0] ?? [0, 0, 1, 1], 'Sodiun')])
  const { words } = await withLostPrint(sheet, resultOf(known), { ocr, signal })
  t.strictSame(words.slice(0, known.length), known)
  t.strictSame(
    words.slice(known.length).map(({ text, box, confidence01 }) => ({ text, box, confidence01 })),
    values.map((box) => ({ text: '4.8', box, confidence01: 0.75 })),
  )
  t.ok(Math.min(...words.slice(known.length).map(({ line }) => line)) > 0, 'in lines of their own')

  const [image] = shown
  t.equal(image?.layout, 'scattered')
  const { data } = await sharp(image?.png).greyscale().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })
  t.equal(data[116 * width + 200], 255, 'the name is painted over')
  t.equal(data[116 * width + 830], 20, 'the value is not')
})

void test('a page of which everything was read is not read again', async (t) => {
  const { ocr, shown } = readerOf([])
  const result = resultOf([...names.map((box) => word(box, 'Sodium')), ...values.map((box) => word(box, '4.8'))])
  t.equal(await withLostPrint(await sheetWith([...names, ...values]), result, { ocr, signal }), result)
  t.equal(shown.length, 0)
})

void test('a logo and a rule are no print that was lost', async (t) => {
  const { ocr, shown } = readerOf([])
  const sheet = await sheetWith([...names, [700, 100, 1100, 400], [100, 1500, 1100, 1506]])
  await withLostPrint(sheet, resultOf(names.map((box) => word(box, 'Sodium'))), { ocr, signal })
  t.equal(shown.length, 0)
})

void test('what is unsure, or much larger than the print around, is left out', async (t) => {
  const { ocr } = readerOf([word(values[0] ?? [0, 0, 1, 1], '4.8', 0.4), word([600, 900, 900, 1100], 'Copy')])
  const known = names.map((box) => word(box, 'Sodium'))
  const { words } = await withLostPrint(await sheetWith([...names, ...values]), resultOf(known), { ocr, signal })
  t.strictSame(words, known)
})
