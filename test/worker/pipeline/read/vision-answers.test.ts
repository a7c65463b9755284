import { test } from 'tap'
import type { MappedDocument } from '../../../../clinical/document/mapped.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import type { OcrPicture } from '../../../../worker/pipeline/read/child-page.ts'
import { straight } from '../../../../worker/pipeline/read/image/bend.ts'
import { recognisePage } from '../../../../worker/pipeline/read/recognise-page.ts'
import { readAnswer } from '../../../../worker/providers/ocr/google-answer.ts'
import type { OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import { line, madeResponse } from '../../../support/vision-answer.ts'
import type { MadeBlock, MadePage } from '../../../support/vision-answer.ts'

type Turn = MadePage['turned']
const turns: readonly Turn[] = [0, 90, 180, 270]

/**
 * As the reading stage makes a page of Vision's answer. `shown`: how far the page is turned as it is shown; `turnedBefore`:
 * and its picture besides, before it was sent. `calls`: what would have been paid for.
 */
async function pageOf(blocks: readonly MadeBlock[], shown: Turn = 0, turnedBefore: 0 | 90 = 0) {
  const turned = turns[((shown + turnedBefore) / 90) % 4] ?? 0
  const made: MadePage = { width: 800, height: 1000, turned }
  const [widthPx, heightPx] = turned % 180 === 0 ? [800, 1000] : [1000, 800]
  let calls = 0
  const ocr: OcrProvider = {
    name: 'google-vision',
    version: 'v1',
    recognise: (image) => {
      calls += 1
      const [outcome] = readAnswer([{ responses: [madeResponse(blocks, made)] }], [image])
      return outcome?.kind === 'read' ? Promise.resolve(outcome.result) : Promise.reject(new Error('nothing was read'))
    },
    picturesAtOnce: 16,
    close: () => Promise.resolve(),
  }
  const picture: OcrPicture = {
    png: Buffer.from('not looked at'),
    widthPx,
    heightPx,
    dpi: 100,
    surface: 'clean',
    toPage:
      turnedBefore === 0
        ? [1 / widthPx, 0, 0, 0, 1 / heightPx, 0, 0, 0, 1]
        : [0, 1 / heightPx, 0, -1 / widthPx, 0, 1, 0, 0, 1],
    turned: turnedBefore,
    bend: straight,
    small: { data: new Uint8Array(0), width: 0, height: 0 },
    lines: [],
    quality: { grade: 'good', reason: null },
  }
  const { words, rotation } = await recognisePage(picture, ocr, new AbortController().signal)
  const page = {
    number: 1,
    widthPt: 576,
    heightPt: 720,
    rotation,
    source: 'ocr',
    engine: 'google-vision v1',
    quality: picture.quality,
    words,
  } as const
  return { page, calls }
}

const printed = (document: MappedDocument, part: { start: number; length: number }): string =>
  document.text.slice(part.start, part.start + part.length)
const rowsOf = (document: MappedDocument): string[][] =>
  document.lines
    .filter(({ kind }) => kind === 'table_row')
    .map(({ cells }) => cells.map((cell) => printed(document, cell)))

const rows = [
  ['Sodium', '140', 'mmol/L', '135 - 145'],
  ['Potassium', '5.9 H', 'mmol/L', '3.5 - 5.2'],
  ['Urea', '6.1', 'mmol/L', '3.0 - 8.0'],
  ['Creatinine', '82', 'umol/L', '60 - 110'],
]
const edges = [60, 300, 420, 560]
const header = ['Test', 'Result', 'Units', 'Reference']
const cell = (text: string, column: number, row: number) => line(text, edges[column] ?? 0, 200 + 40 * row)

/** Vision likes to take the columns of a table for blocks, in an order of its own. */
const byColumns: MadeBlock[] = [2, 0, 3, 1].map((column) => [
  [header, ...rows].flatMap((row, index) => cell(row[column] ?? '', column, index)),
])
const byRows: MadeBlock[] = [header, ...rows].map((row, index) => [
  row.flatMap((text, column) =>
    cell(text, column, index).map((word) => ({ ...word, broken: column < 3 ? ('SPACE' as const) : word.broken })),
  ),
])
const asOneBlock: MadeBlock[] = [byColumns.flat()]

void test('rows of a results table come together, whichever way Vision has parted it and the picture was turned', async (t) => {
  for (const [name, blocks] of Object.entries({ byColumns, byRows, asOneBlock })) {
    for (const turned of turns) {
      const { page, calls } = await pageOf(blocks, turned)
      t.same(rowsOf(mapPages([page])), rows, `${name}, turned by ${turned}`)
      t.equal(page.rotation, (360 - turned) % 360)
      t.equal(calls, 1, 'one request says how it stands')
    }
  }
})

void test('boxes lie where the words are on the upright page, whichever way the picture was turned', async (t) => {
  const expected = [60 / 800, 240 / 1000, 120 / 800, 260 / 1000]
  for (const turnedBefore of [0, 90] as const) {
    for (const turned of turns) {
      const { page } = await pageOf(byRows, turned, turnedBefore)
      const sodium = page.words.find(({ text }) => text === 'Sodium')
      t.ok(
        sodium?.box.every((side, index) => Math.abs(side - (expected[index] ?? 2)) < 1e-9),
        `turned by ${turned}, by us by ${turnedBefore}: ${sodium?.box.join(' ')}`,
      )
      t.equal(page.rotation, (360 - turned) % 360)
    }
  }
})

const prose = [
  [
    'The patient came with a cough that',
    'had lasted for three weeks and was',
    'worse at night when he was lying',
    'down flat. He had no fever at all',
  ],
  [
    'His mother was well until the age of',
    'eighty and his father died young of',
    'an accident at work on the farm he',
    'was born on. There is nobody else',
  ],
] as const
const column = (lines: readonly string[], left: number) =>
  lines.flatMap((text, index) => line(text, left, 200 + 30 * index))

void test('two columns of prose are read one after the other, also where Vision has run them together', async (t) => {
  const apart: MadeBlock[] = [[column(prose[1], 420)], [column(prose[0], 20)]]
  const together: MadeBlock[] = [
    [
      prose[0].flatMap((text, index) => [
        ...line(text, 20, 200 + 30 * index, 'SPACE'),
        ...line(prose[1][index] ?? '', 420, 200 + 30 * index),
      ]),
    ],
  ]
  for (const blocks of [apart, together]) {
    const { page } = await pageOf(blocks)
    t.equal(mapPages([page]).text.trim(), prose.flat().join('\n'))
  }
})

void test('a page on which nothing is written is asked about once', async (t) => {
  const { page, calls } = await pageOf([])
  t.same(page.words, [])
  t.equal(calls, 1)
})
