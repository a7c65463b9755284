import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { test } from 'tap'
import type { OcrImage, OcrProvider } from '../../worker/providers/ocr/provider.ts'
import { pictureOfText } from '../support/picture-of-text.ts'

export type OcrSetup = {
  readonly open: () => OcrProvider | Promise<OcrProvider>
  /** A reason why it cannot run here. */
  readonly skip?: string
}

/** What any OCR provider must do. */
export function ocrProviderContract(name: string, { open, skip }: OcrSetup): void {
  const options = skip === undefined ? {} : { skip }

  void test(`${name} finds words where they are printed`, options, async (t) => {
    const ocr = await open()
    t.teardown(() => ocr.close())
    const image = await pictureOfText(['Haemoglobin 131 g/L', 'Potassium 4.2 mmol/L'])
    const { words, confidence01 } = await ocr.recognise(image, { signal: new AbortController().signal })

    t.same(
      words.map(({ text }) => text),
      ['Haemoglobin', '131', 'g/L', 'Potassium', '4.2', 'mmol/L'],
    )
    t.ok(confidence01 > 0.7 && confidence01 <= 1)
    for (const { box, confidence01: sure } of words) {
      t.ok(box[0] < box[2] && box[1] < box[3] && box[2] <= image.widthPx && box[3] <= image.heightPx)
      t.ok(sure >= 0 && sure <= 1)
    }
    const [first, second] = [words[0], words[3]]
    t.ok(first !== undefined && second !== undefined && first.box[3] < second.box[1], 'lines lie below each other')
    t.not(first?.line, second?.line)
  })

  void test(`${name} gives nothing for an empty page`, options, async (t) => {
    const ocr = await open()
    t.teardown(() => ocr.close())
    const { words } = await ocr.recognise(await pictureOfText([]), { signal: new AbortController().signal })
    t.same(words, [])
  })

  void test(`${name} stops when it is told to, and can be used afterwards`, options, async (t) => {
    const ocr = await open()
    t.teardown(() => ocr.close())
    const image = await pictureOfText(['Sodium 140 mmol/L'])
    const controller = new AbortController()
    const reading = ocr.recognise(image, { signal: controller.signal })
    controller.abort(new Error('lease lost'))
    await t.rejects(reading, { message: 'lease lost' })
    const { words } = await ocr.recognise(image, { signal: new AbortController().signal })
    t.equal(words.length, 3)
  })
}

/** What a reader on this machine must do beside: a service is asked about one picture of several, and says it in its answer. */
export function ownReaderContract(name: string, { open, skip }: OcrSetup): void {
  void test(
    `${name} refuses what is no picture, and reads the next one`,
    skip === undefined ? {} : { skip },
    async (t) => {
      const ocr = await open()
      t.teardown(() => ocr.close())
      const image = await pictureOfText(['Sodium 140 mmol/L'])
      const { signal } = new AbortController()
      const broken = { ...image, png: Buffer.from(image.png).fill(0, 60) }
      await t.rejects(ocr.recognise(broken, { signal }), { code: 'ocr_refused' })
      const { words } = await ocr.recognise(image, { signal })
      t.equal(words.length, 3)
    },
  )
}

/** A page of the bundled documents as a provider gets it. */
export async function sampleImage(path: string): Promise<OcrImage> {
  const { data, info } = await sharp(await readFile(path))
    .greyscale()
    .png()
    .toBuffer({ resolveWithObject: true })
  return { png: data, widthPx: info.width, heightPx: info.height, dpi: 150, surface: 'clean' }
}
