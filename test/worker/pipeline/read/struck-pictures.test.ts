import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { test } from 'tap'
import { renderPage } from '../../../../platform/rendering/render-page.ts'
import type { OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { readBytes } from '../../../support/read-bytes.ts'

const lines = [
  { text: 'Current medications', x: 72, y: 700, font: 'bold', size: 14 },
  { text: 'Warfarin 5 mg daily', x: 72, y: 660, size: 12 },
  { text: 'Metformin 500 mg twice daily', x: 72, y: 640, size: 12 },
  { text: 'EEHHEE grey tee HEAT HEATHER', x: 72, y: 620, size: 12 },
  { text: 'Ramipril 5 mg in the morning', x: 72, y: 600, size: 12 },
] as const
const dpi = 200

const printed = readBytes(pdfOfLines([lines]), 'application/pdf')

/** Reads nothing: it says the words of the page as they were set, where they stand in any picture of it. */
const ocr: OcrProvider = {
  name: 'told',
  version: '1',
  recognise: async ({ widthPx, heightPx }) => ({
    confidence01: 0.95,
    words: (await printed).flatMap(({ words }) =>
      words.map(({ text, box, line }) => ({
        text,
        confidence01: 0.95,
        box: [box[0] * widthPx, box[1] * heightPx, box[2] * widthPx, box[3] * heightPx] as const,
        line,
        block: 0,
      })),
    ),
  }),
  close: async () => {},
}

async function struckIn(drawnOver: string, change: (picture: Sharp) => Sharp = (picture) => picture): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), 'page.pdf')
  await writeFile(path, pdfOfLines([lines], { drawnOver }))
  const wanted = { mimeType: 'application/pdf', page: 1, widthPx: (612 / 72) * dpi }
  const picture = await renderPage({ path, ...wanted, signal: new AbortController().signal })
  const scan = await change(sharp(picture).greyscale().withMetadata({ density: dpi }))
    .png()
    .toBuffer()
  const [page] = await readBytes(scan, 'image/png', ocr)
  return (page?.words ?? [])
    .filter(({ isStruck }) => isStruck === true)
    .map(({ text }) => text)
    .join(' ')
}

const ends = async (...texts: string[]): Promise<readonly [left: number, right: number]> => {
  const boxes = (await printed).flatMap(({ words }) =>
    words.filter(({ text }) => texts.includes(text)).map(({ box }) => box),
  )
  return [Math.min(...boxes.map((box) => box[0])) * 612, Math.max(...boxes.map((box) => box[2])) * 612]
}

void test('lines through the words of a scan strike them out', async (t) => {
  const [left] = await ends('Warfarin')
  const [from, to] = await ends('Metformin')
  const [, right] = await ends('morning')
  const drawn = [
    `0.8 w ${left} 663.5 m ${left + 110} 663.5 l S`,
    `1 w ${from - 4} 643.5 m ${to + 4} 643.5 l S`,
    `1.6 w ${left - 8} 602 m ${left + 60} 604.8 ${left + 120} 602.5 ${right + 6} 605 c S`,
  ].join(' ')
  const struck = 'Warfarin 5 mg daily Metformin Ramipril 5 mg in the morning'
  t.equal(await struckIn(drawn), struck)
  t.equal(await struckIn(drawn, (scan) => scan.blur(0.8).jpeg({ quality: 50 })), struck, 'out of focus')
})

void test('letters alone, and lines that go elsewhere, strike nothing out', async (t) => {
  t.equal(await struckIn(''), '')
  const [left, right] = await ends('Warfarin', 'daily')
  const drawn = [
    `0.8 w ${left} 658 m ${right} 658 l S`,
    `0.8 w ${left} 638.8 m ${right + 40} 638.8 l S`,
    `0.8 w ${left - 4} 616 ${right - left + 80} 13 re S`,
    '0.7 w 60 612 m 400 612 l 60 594 m 400 594 l S',
    `0.8 w ${left + 20} 560 m ${left + 20} 720 l S`,
    '0.9 g 60 696 200 16 re f 0 g 60 520 400 14 re f',
  ].join(' ')
  t.equal(await struckIn(drawn), '')
})
