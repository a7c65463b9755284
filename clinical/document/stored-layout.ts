/**
 * How a mapped document is kept beside its text. Lines, cells, words and their offsets are not kept: the text's own
 * separators tell them. What is left (boxes, legibility, kinds, columns) is packed to about 2 % of what it is as JSON.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import { hullOf } from './boxes.ts'
import { readColumnLayout } from './column-layout.ts'
import { documentClasses, lineKinds, type Cell, type Line, type MappedDocument, type MappedWord } from './mapped.ts'
import { packNumbers, unpackNumbers } from './packed-numbers.ts'
import { storedStructure } from './structured-entry.ts'
import type { DocumentStructure } from './structured-entry.ts'

const boxSteps = 65535
const confidenceSteps = 255

const packedLayout = z.object({
  format: z.literal(2),
  pages: z.array(z.int()),
  sections: z.array(z.object({ heading: z.string().nullable(), slug: z.string().nullable(), firstLine: z.int() })),
  documentClass: z.enum(documentClasses),
  locale: z.enum(['en-AU', 'en-US']),
  /** Deflated numbers, in base64: see `numbersOf`. */
  packed: z.string(),
  structure: storedStructure.nullable().exactOptional(),
})
export type PackedLayout = Omit<z.infer<typeof packedLayout>, 'structure'> & {
  readonly structure?: DocumentStructure | null
}

/** Boxes and confidences come from packed pages, so the steps they are packed in lose nothing. */
export function packLayout(document: MappedDocument): PackedLayout {
  return {
    format: 2,
    pages: document.pages.map(({ number }) => number),
    sections: document.sections.map(({ heading, slug, firstLine }) => ({ heading, slug, firstLine })),
    documentClass: document.documentClass,
    locale: document.locale,
    structure: document.structure ?? null,
    packed: deflateRawSync(packNumbers(numbersOf(document))).toString('base64'),
  }
}

export function unpackLayout(text: string, stored: unknown): MappedDocument {
  const known = packedLayout.safeParse(stored)
  return known.success ? unpack(text, known.data) : readColumnLayout(text, stored)
}

/** Alike numbers stand together and a word's are relative to the word before it: they deflate best so. */
function numbersOf({ lines, words }: MappedDocument): number[][] {
  const steps = words.map(({ box }) => box.map((edge) => Math.round(edge * boxSteps)))
  const edge = (index: number, corner: number) => steps[index]?.[corner] ?? 0
  const each = (value: (index: number) => number) => steps.map((_, index) => value(index))
  return [
    lines.map(({ kind, isBold }) => 2 * lineKinds.indexOf(kind) + (isBold ? 1 : 0)),
    lines.map(({ table }) => (table === null ? 0 : table + 1)),
    lines.flatMap(({ cells }) => cells.map(({ column }) => (column === null ? 0 : column + 1))),
    each((index) => edge(index, 0) - edge(index - 1, 2)),
    each((index) => edge(index, 1) - edge(index - 1, 1)),
    each((index) => edge(index, 2) - edge(index, 0)),
    each((index) => edge(index, 3) - edge(index, 1)),
    words.map(({ confidence01 }) => Math.round(confidence01 * confidenceSteps)),
    struckRuns(words),
  ]
}

/** How many words stand before the first that is struck out, how many are, how many stand behind those, and so on. */
function struckRuns(words: readonly MappedWord[]): number[] {
  const runs: number[] = []
  let from = 0
  words.forEach(({ isStruck }, index) => {
    const isInRun = runs.length % 2 === 1
    if ((isStruck === true) === isInRun) return
    runs.push(index - from)
    from = index
  })
  return runs.length % 2 === 1 ? [...runs, words.length - from] : runs
}

function placesOfRuns(runs: readonly number[]): ReadonlySet<number> {
  const places = new Set<number>()
  let at = 0
  runs.forEach((count, order) => {
    if (order % 2 === 1) for (let place = at; place < at + count; place += 1) places.add(place)
    at += count
  })
  return places
}

function unpack(text: string, stored: PackedLayout): MappedDocument {
  const numbers = unpackNumbers(inflateRawSync(Buffer.from(stored.packed, 'base64')))
  const pages = pagesOf(text, stored.pages)
  const words = wordsOf(text, pages, numbers.slice(3))
  const lines = linesOf({ text, pages, words, sections: stored.sections }, numbers)
  const sections = stored.sections.map((section, index) => ({
    ...section,
    endLine: stored.sections[index + 1]?.firstLine ?? lines.length,
  }))
  const { documentClass, locale, structure = null } = stored
  return { text, pages, words, lines, sections, documentClass, locale, structure }
}

type Pages = MappedDocument['pages']

function pagesOf(text: string, numbers: readonly number[]): Pages {
  let start = 0
  return numbers.map((number) => {
    const end = endOf(text, '\f', start)
    const page = { number, start, length: end - start }
    start = end + 1
    return page
  })
}

function wordsOf(text: string, pages: Pages, numbers: readonly (readonly number[])[]): MappedWord[] {
  const [lefts = [], tops = [], widths = [], heights = [], confidences = [], runs = []] = numbers
  const struck = placesOfRuns(runs)
  const words: MappedWord[] = []
  let [right, top] = [0, 0]
  for (const page of pages) {
    for (const match of text.slice(page.start, page.start + page.length).matchAll(/[^ \t\n]+/g)) {
      const index = words.length
      const left = right + (lefts[index] ?? 0)
      right = left + (widths[index] ?? 0)
      top += tops[index] ?? 0
      words.push({
        page: page.number,
        start: page.start + match.index,
        length: match[0].length,
        box: [left / boxSteps, top / boxSteps, right / boxSteps, (top + (heights[index] ?? 0)) / boxSteps],
        confidence01: (confidences[index] ?? 0) / confidenceSteps,
        ...(struck.has(index) ? { isStruck: true } : {}),
      })
    }
  }
  return words
}

type Unpacking = Pick<MappedDocument, 'text' | 'pages' | 'words'> & Pick<PackedLayout, 'sections'>

function linesOf(document: Unpacking, [kinds = [], tables = [], columns = []]: readonly (readonly number[])[]): Line[] {
  const { text, pages, words, sections } = document
  const lines: Line[] = []
  let [nextWord, nextCell, section] = [0, 0, 0]
  for (const page of pages.filter(({ length }) => length > 0)) {
    for (const { start, end } of partsOf(text, '\n', page.start, page.start + page.length)) {
      const place = lines.length
      while ((sections[section + 1]?.firstLine ?? Number.POSITIVE_INFINITY) <= place) section += 1
      const firstWord = nextWord
      const cells = partsOf(text, '\t', start, end).map((part): Cell => {
        const from = nextWord
        while ((words[nextWord]?.start ?? Number.POSITIVE_INFINITY) < part.end) nextWord += 1
        const column = columns[nextCell++] ?? 0
        const box = hullOf(words.slice(from, nextWord).map((word) => word.box))
        return { start: part.start, length: part.end - part.start, column: column === 0 ? null : column - 1, box }
      })
      const kind = kinds[place] ?? 0
      const table = tables[place] ?? 0
      lines.push({
        page: page.number,
        start,
        length: end - start,
        box: hullOf(cells.map((cell) => cell.box)),
        kind: lineKinds[kind >> 1] ?? 'text',
        cells,
        words: Array.from({ length: nextWord - firstWord }, (_, index) => firstWord + index),
        table: table === 0 ? null : table - 1,
        section,
        isBold: (kind & 1) === 1,
      })
    }
  }
  return lines
}

function partsOf(text: string, separator: string, from: number, to: number): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = []
  for (let start = from; start <= to;) {
    const end = Math.min(endOf(text, separator, start), to)
    parts.push({ start, end })
    start = end + 1
  }
  return parts
}

function endOf(text: string, separator: string, from: number): number {
  const found = text.indexOf(separator, from)
  return found === -1 ? text.length : found
}
