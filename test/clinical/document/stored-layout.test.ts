import * as fc from 'fast-check'
import { test } from 'tap'
import { boxesOf, lineAt, mapOfPage, spanInBox, wordsOfPage } from '../../../clinical/document/boxes.ts'
import type { MappedDocument } from '../../../clinical/document/mapped.ts'
import type { Page, Word } from '../../../clinical/document/page.ts'
import { packLayout, unpackLayout } from '../../../clinical/document/stored-layout.ts'
import { mapPages } from '../../../worker/pipeline/map/map-pages.ts'
import { pageFromText } from '../../worker/pipeline/page-from-text.ts'

const step = (max: number) => fc.integer({ min: 0, max }).map((number) => number / 65535)
const printedText = fc.oneof(
  fc.constantFrom('Haemoglobin', '12.3', 'H', 'g/L', '(3.5', '-', '5.0)', 'mmol/L', '•', 'Dr', '02/03/2021', 'Page'),
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
  fc.constantFrom('non\u00a0breaking', 'two words', 'tab\tbed', 'fee\fd', 'ne\nw', '𝒳²', '  ', '\u200b'),
)
const word: fc.Arbitrary<Word> = fc.record({
  text: printedText,
  confidence01: fc.integer({ min: 0, max: 255 }).map((number) => number / 255),
  box: fc
    .tuple(step(55_000), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 60, max: 9000 }), step(900))
    .map(([x, row, width, height]) => [x, row / 64, x + width / 65535, row / 64 + 0.002 + height] as const)
    .map(([x0, y0, x1, y1]) => [x0, quantised(y0), quantised(x1), quantised(y1)] as const),
  line: fc.nat(60),
  block: fc.nat(4),
  isBold: fc.boolean(),
  isStruck: fc.boolean(),
})
const quantised = (fraction: number): number => Math.round(fraction * 65535) / 65535
const pages = fc
  .array(fc.tuple(fc.array(word, { maxLength: 60 }), fc.constantFrom('text_layer' as const, 'ocr' as const)), {
    maxLength: 3,
  })
  .map((drawn) => drawn.map(([words, source], index): Page => pageFromText('', { number: index + 1, source, words })))

const slice = (document: MappedDocument, { start, length }: { start: number; length: number }) =>
  document.text.slice(start, start + length)

test('every word of a page stands in the text, once, at its offset', (t) => {
  fc.assert(
    fc.property(pages, (drawn) => {
      const document = mapPages(drawn)
      const printed = drawn.flatMap(({ words }) => words.map(({ text }) => text.replaceAll(/\s/g, ''))).filter(Boolean)
      t.strictSame(document.words.map((each) => slice(document, each)).toSorted(), printed.toSorted())
    }),
    { numRuns: 60 },
  )
  t.end()
})

test('mapping the same pages again gives the same text and layout', (t) => {
  fc.assert(
    fc.property(pages, (drawn) => t.strictSame(mapPages(structuredClone(drawn)), mapPages(drawn))),
    { numRuns: 20 },
  )
  t.end()
})

test('a stored layout is read back as it was mapped', (t) => {
  fc.assert(
    fc.property(pages, (drawn) => {
      const document = mapPages(drawn)
      const stored: unknown = JSON.parse(JSON.stringify(packLayout(document)))
      t.strictSame(unpackLayout(document.text, stored), document)
    }),
    { numRuns: 60 },
  )
  t.end()
})

test('a word leads to its box and its box back to the word, a line to its words', (t) => {
  fc.assert(
    fc.property(pages, (drawn) => {
      const document = mapPages(drawn)
      for (const each of document.words) {
        t.strictSame(boxesOf(document, each), [{ page: each.page, box: each.box }])
        const [x, y] = [(each.box[0] + each.box[2]) / 2, (each.box[1] + each.box[3]) / 2]
        const map = mapOfPage(document, each.page)
        t.ok(map.wordAt(x, y))
        t.ok(map.wordsIn(each.box).includes(each))
        const span = spanInBox(document, { page: each.page, box: each.box })
        t.ok(span !== null && span.start <= each.start && each.start + each.length <= span.start + span.length)
      }
      for (const line of document.lines) {
        t.equal(lineAt(document, line.start), line)
        t.strictSame(boxesOf(document, line), [{ page: line.page, box: line.box }])
      }
      const known = document.pages.reduce((sum, { number }) => sum + wordsOfPage(document, number).length, 0)
      t.equal(known, document.words.length)
    }),
    { numRuns: 25 },
  )
  t.end()
})

test('a layout that was stored before layouts were packed is still read', (t) => {
  const document = mapPages([pageFromText('**Results**\nSodium    141    mmol/L\nUrea      4.0    mmol/L\n')])
  const { text, words, ...layout } = document
  const stored = {
    ...layout,
    words: {
      page: words.map(({ page }) => page),
      start: words.map(({ start }) => start),
      length: words.map(({ length }) => length),
      box: words.flatMap(({ box }) => box.map((edge) => Math.round(edge * 65535))),
      confidence: words.map(({ confidence01 }) => Math.round(confidence01 * 255)),
    },
  }
  t.match(unpackLayout(text, JSON.parse(JSON.stringify(stored))), { text, lines: document.lines })
  t.throws(() => unpackLayout(text, { pages: [] }))
  t.end()
})
