import sharp from 'sharp'
import { test } from 'tap'
import type { GreyImage } from '../../../../worker/pipeline/read/image/grey-image.ts'
import { withLostPoints } from '../../../../worker/pipeline/read/image/lost-points.ts'
import type { OcrWord } from '../../../../worker/providers/ocr/provider.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'

/** The lines as printed, small and soft as a scan has them, and what a reader made of each. */
async function lookedAt(printed: readonly string[], read: readonly string[]): Promise<OcrWord[]> {
  const { png } = await pictureOfText(printed)
  const { data, info } = await sharp(Buffer.from(png))
    .resize({ width: 1200 })
    .blur(0.8)
    .greyscale()
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const image: GreyImage = { data: new Uint8Array(data), width: info.width, height: info.height }
  const words = printed.map((_, row) => wordOf(image, row, read[row] ?? ''))
  return withLostPoints(image, words)
}

/** Where the ink of the line is: lines are 40 points apart, the first one on 700 of 792. */
function wordOf({ data, width }: GreyImage, row: number, text: string): OcrWord {
  const scale = width / 612
  const [above, below] = [(792 - 700 + row * 40 - 14) * scale, (792 - 700 + row * 40 + 8) * scale]
  const inked: [number, number][] = []
  for (let y = Math.floor(above); y < below; y++)
    for (let x = 0; x < width; x++) if ((data[y * width + x] ?? 255) < 140) inked.push([x, y])
  const [xs, ys] = [inked.map(([x]) => x), inked.map(([, y]) => y)]
  const box = [Math.min(...xs) - 2, Math.min(...ys) - 1, Math.max(...xs) + 3, Math.max(...ys) + 2] as const
  return { text, confidence01: 0.95, box, line: row, block: 0 }
}

const texts = (words: readonly OcrWord[]) => words.map(({ text }) => text)

void test('a point that the reader lost is seen in the picture, and the number is to be compared', async (t) => {
  const printed = ['4.8', '1.1', '14.3', '0.75', '<5.0', '2.5-7.8', '(3.5-5.2)']
  const words = await lookedAt(printed, ['48', '11', '143', '075', '<50', '25-78', '(35-5.2)'])
  t.strictSame(texts(words), printed)
  for (const { confidence01 } of words) t.ok(confidence01 < 0.8 && confidence01 >= 0.5)
})

void test('a number without a point gets none', async (t) => {
  const printed = ['48', '11', '143', '1740', '<50', '135-145', '(70-110)', '117', '>90']
  const words = await lookedAt(printed, printed)
  t.strictSame(texts(words), printed)
  for (const { confidence01 } of words) t.equal(confidence01, 0.95)
})

void test('a comma between thousands becomes no point', async (t) => {
  const [word] = await lookedAt(['1,250'], ['1250'])
  t.equal(word?.text, '1250')
})

void test('a figure that was read in place of the point leaves the number doubted, not longer', async (t) => {
  const [word] = await lookedAt(['14.3'], ['1443'])
  t.equal(word?.text, '1443')
  t.ok((word?.confidence01 ?? 1) < 0.6)
})
