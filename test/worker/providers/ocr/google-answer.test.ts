import { test } from 'tap'
import { readAnswer } from '../../../../worker/providers/ocr/google-answer.ts'
import type { OcrResult } from '../../../../worker/providers/ocr/provider.ts'
import { line, madeResponse, word } from '../../../support/vision-answer.ts'
import type { MadeBlock, MadePage } from '../../../support/vision-answer.ts'

const picture = { widthPx: 800, heightPx: 1000 }

function resultOf(response: unknown, size = picture): OcrResult {
  const [outcome] = readAnswer([{ responses: [response] }], [size])
  if (outcome?.kind !== 'read') throw new Error('nothing was read')
  return outcome.result
}
const read = (...blocks: MadeBlock[]) => resultOf(madeResponse(blocks))
const linesOf = ({ words }: OcrResult): string[] =>
  [...Map.groupBy(words, (each) => each.line).values()].map((each) => each.map(({ text }) => text).join(' '))

void test('words come with boxes in pixels, also where a coordinate is left out', (t) => {
  const { words, confidence01 } = read([
    [word('Sodium', [0, 0, 120, 30], 'SPACE'), word('140', [200, 0, 260, 30], 'LINE_BREAK', 0.77)],
  ])
  t.same(words, [
    { text: 'Sodium', confidence01: 0.97, box: [0, 0, 120, 30], line: 0, block: 0 },
    { text: '140', confidence01: 0.77, box: [200, 0, 260, 30], line: 0, block: 0 },
  ])
  t.ok(Math.abs(confidence01 - (6 * 0.97 + 3 * 0.77) / 9) < 1e-6, 'long words weigh more')
  t.end()
})

void test('parts of a printed word are put together, and nothing else is', (t) => {
  const found = read([
    [
      word('4', [0, 0, 10, 30], null),
      word('.', [11, 25, 14, 30], null),
      word('2', [15, 0, 25, 30], 'SPACE'),
      word('mmol', [40, 0, 90, 30], null, 0),
      word('/L', [91, 0, 110, 30], null),
      word('3.5', [300, 0, 330, 30], null),
      word('-', [332, 14, 338, 17], null),
      word('5.5', [340, 0, 370, 30], 'EOL_SURE_SPACE'),
      word('×', [0, 50, 12, 80], null),
      word('10', [14, 50, 34, 80], null),
      word('9', [34, 44, 42, 58], null),
      word('/L', [44, 50, 62, 80], 'LINE_BREAK'),
    ],
  ])
  t.same(linesOf(found), ['4.2 mmol/L 3.5-5.5', '×109/L'], 'a far cell is another word even where no break is told')
  t.same(found.words[0]?.box, [0, 0, 25, 30])
  t.same(found.words[1]?.confidence01.toFixed(2), '0.86', 'a confidence of 0 was not given')
  t.end()
})

void test('the hyphen at the end of a line is printed, though Vision has it among the breaks', (t) => {
  const found = read([[word('medica', [0, 0, 60, 20], 'HYPHEN'), word('tion', [0, 30, 40, 50], 'LINE_BREAK')]])
  t.same(linesOf(found), ['medica-', 'tion'])
  t.end()
})

void test('breaks inside of a word, before it, and of the word itself part words', (t) => {
  const symbol = (text: string, x: number, property = {}) => ({
    text,
    property,
    boundingBox: { vertices: [{ x }, { x: x + 10 }, { x: x + 10, y: 20 }, { x, y: 20 }] },
  })
  const space = (isPrefix: boolean) => ({ detectedBreak: { type: 1, isPrefix } })
  const box = { vertices: [{ x: 0 }, { x: 70 }, { x: 70, y: 20 }, { y: 20 }] }
  const words = [
    {
      boundingBox: box,
      symbols: [symbol('a', 0, space(false)), symbol('b', 20), symbol('c', 30), symbol('d', 60, space(true))],
      property: { detectedBreak: { type: 'SPACE' } },
    },
    {
      boundingBox: { vertices: [{ x: 72 }, { x: 90 }, { x: 90, y: 20 }, { x: 72, y: 20 }] },
      symbols: [symbol('e', 72)],
    },
  ]
  const found = resultOf({ fullTextAnnotation: { pages: [{ blocks: [{ paragraphs: [{ words }] }] }] } })
  t.same(
    found.words.map(({ text, box: [left, , right] }) => [text, left, right]),
    [
      ['a', 0, 10],
      ['bc', 20, 40],
      ['d', 60, 70],
      ['e', 72, 90],
    ],
  )
  t.end()
})

void test('corners in fractions, out of the picture, or of something larger are still a place in it', (t) => {
  const made = (boundingBox: unknown, around?: unknown) => ({
    fullTextAnnotation: {
      pages: [
        { blocks: [{ boundingBox: around, paragraphs: [{ words: [{ boundingBox, symbols: [{ text: 'x' }] }] }] }] },
      ],
    },
  })
  const boxOf = (...places: Parameters<typeof made>) => resultOf(made(...places)).words[0]?.box
  const fractions = [
    { x: 0.25, y: 0.5 },
    { x: 0.5, y: 0.5 },
    { x: 0.5, y: 0.6 },
    { x: 0.25, y: 0.6 },
  ]
  t.same(boxOf({ vertices: [], normalizedVertices: fractions }), [200, 500, 400, 600])
  t.same(
    boxOf({
      vertices: [
        { x: -20, y: -5 },
        { x: 900, y: -5 },
        { x: 900, y: 40 },
        { x: -20, y: 40 },
      ],
    }),
    [0, 0, 800, 40],
  )
  t.same(
    boxOf({
      vertices: [
        { x: 5_000, y: 20 },
        { x: 6_000, y: 30 },
      ],
    }),
    [799, 20, 800, 30],
    'a pixel at least',
  )
  t.same(
    boxOf(undefined, {
      vertices: [
        { x: 10, y: 20 },
        { x: 60, y: 40 },
      ],
    }),
    [10, 20, 60, 40],
    'that of its block',
  )
  t.same(boxOf({ vertices: 'wrong' }, undefined), undefined)
  t.end()
})

const letter: MadeBlock[] = [
  [line('Dear Dr Quill', 100, 100)],
  [[...line('thank you for seeing this patient', 100, 200), ...line('who has had a cough since May', 100, 230)]],
]

void test('a turned picture tells how it is turned, and its words are read in the same order', (t) => {
  for (const turned of [0, 90, 180, 270] as const) {
    const page: MadePage = { width: 800, height: 1000, turned }
    const size = turned % 180 === 0 ? picture : { widthPx: 1000, heightPx: 800 }
    const found = resultOf(madeResponse(letter, page), size)
    t.equal(found.uprightTurn, (360 - turned) % 360, `turned by ${turned}`)
    t.same(linesOf(found), ['Dear Dr Quill', 'thank you for seeing this patient', 'who has had a cough since May'])
  }
  const sideways = resultOf(madeResponse(letter, { width: 800, height: 1000, turned: 90 }), {
    widthPx: 1000,
    heightPx: 800,
  })
  t.same(sideways.words[0]?.box, [880, 100, 900, 140], 'its boxes lie in the picture as it was sent')
  t.end()
})

void test('one label that stands the other way does not turn the page', (t) => {
  const upright = madeResponse(letter)
  const label = madeResponse([[line('CONFIDENTIAL', 20, 20)]], { width: 1000, height: 800, turned: 90 })
  const blocks = [upright, label].flatMap(({ fullTextAnnotation }) =>
    fullTextAnnotation.pages.flatMap((page) => page.blocks),
  )
  t.equal(resultOf({ fullTextAnnotation: { pages: [{ blocks }] } }).uprightTurn, 0)
  t.end()
})

void test('a page without words is read, and is as upright as it was', (t) => {
  for (const response of [{}, { fullTextAnnotation: null }, { fullTextAnnotation: { pages: [{ blocks: [{}] }] } }])
    t.same(resultOf(response), { words: [], confidence01: 0, uprightTurn: 0 })
  t.end()
})

void test('columns of prose are read one after the other, blocks of a table row by row', (t) => {
  const left = ['The patient came with a cough', 'that had lasted for three weeks', 'and was worse at night, lying']
  const right = ['His mother was well until she', 'was eighty and his father had', 'died young of an accident when']
  const column = (lines: readonly string[], x: number): MadeBlock[] => [
    [[...line(lines[0] ?? '', x, 100), ...line(lines[1] ?? '', x, 130)]],
    [line(lines[2] ?? '', x, 190)],
  ]
  const [leftTop, leftBottom] = column(left, 20)
  const [rightTop, rightBottom] = column(right, 420)
  const shuffled = [rightBottom, leftTop, rightTop, leftBottom].flatMap((block) => (block === undefined ? [] : [block]))
  t.same(linesOf(read(...shuffled)), [...left, ...right])

  const cells = [
    [line('140', 300, 230)],
    [line('Sodium', 100, 200)],
    [line('Potassium', 100, 230)],
    [line('4.2', 300, 200)],
  ]
  t.same(linesOf(read(...cells.map((cell) => cell))), ['Sodium', '4.2', 'Potassium', '140'])
  t.same(
    linesOf(read([cells.flat(2)])),
    ['Sodium 4.2', 'Potassium 140'],
    'also where all are one block and lines in any order',
  )
  t.end()
})

void test('lines of a tilted page stay apart', (t) => {
  const tilted = (text: string, top: number) =>
    line(text, 40, top).map(({ box: [x0, y0, x1, y1], ...rest }) => {
      const shift = 0.06 * x0
      return { ...rest, box: [x0, y0 + shift, x1, y1 + shift] as const }
    })
  const lines = [
    'one long line that runs over all of the width of this page',
    'and a second that runs as far as that to the other side',
  ]
  t.same(linesOf(read([lines.flatMap((text, index) => tilted(text, 100 + 24 * index))])), lines)
  t.end()
})

void test('words that do not stand side by side are no line, whatever Vision says', (t) => {
  const rows = [
    ...line('Sodium 140', 40, 100, 'SPACE'),
    ...line('Potassium 4.2', 40, 140, null),
    ...line('Urea', 40, 180, null),
  ]
  t.same(linesOf(read([rows])), ['Sodium 140', 'Potassium 4.2', 'Urea'])
  t.end()
})

void test('other scripts keep their order', (t) => {
  const hebrew = read([[word('שלום', [300, 10, 360, 30], 'SPACE'), word('עולם', [220, 10, 290, 30], 'LINE_BREAK')]])
  t.same(linesOf(hebrew), ['שלום עולם'])
  const japanese = read([
    [word('血', [0, 0, 20, 20], null), word('圧', [20, 0, 40, 20], null), word('𠮷', [40, 0, 60, 20], 'LINE_BREAK')],
  ])
  t.same(linesOf(japanese), ['血圧𠮷'])
  t.end()
})
