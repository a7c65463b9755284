/**
 * How a mapped document is kept beside its text: words by column, since they are by far the most. Boxes and confidences
 * come from packed pages, so the steps they are packed in lose nothing.
 */
import { z } from 'zod'
import { storedStructure } from './structured-entry.ts'
import { documentClasses, lineKinds, type MappedDocument, type MappedWord } from './mapped.ts'

const boxSteps = 65535
const confidenceSteps = 255
const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const place = { start: z.int(), length: z.int() }

const storedLayout = z.object({
  pages: z.array(z.object({ number: z.int(), ...place })),
  words: z.object({
    page: z.array(z.int()),
    start: z.array(z.int()),
    length: z.array(z.int()),
    box: z.array(z.int()),
    confidence: z.array(z.int()),
  }),
  lines: z.array(
    z.object({
      page: z.int(),
      ...place,
      box,
      kind: z.enum(lineKinds),
      cells: z.array(z.object({ ...place, column: z.int().nullable(), box })),
      words: z.array(z.int()),
      table: z.int().nullable(),
      section: z.int(),
      isBold: z.boolean(),
    }),
  ),
  sections: z.array(
    z.object({ heading: z.string().nullable(), slug: z.string().nullable(), firstLine: z.int(), endLine: z.int() }),
  ),
  documentClass: z.enum(documentClasses),
  locale: z.enum(['en-AU', 'en-US']),
  structure: storedStructure.nullable().exactOptional(),
})
export type StoredLayout = z.infer<typeof storedLayout>

export function packLayout(
  document: MappedDocument,
): Omit<MappedDocument, 'text' | 'words'> & Pick<StoredLayout, 'words'> {
  const { text: _text, words, ...layout } = document
  return {
    ...layout,
    words: {
      page: words.map((word) => word.page),
      start: words.map((word) => word.start),
      length: words.map((word) => word.length),
      box: words.flatMap((word) => word.box.map((edge) => Math.round(edge * boxSteps))),
      confidence: words.map((word) => Math.round(word.confidence01 * confidenceSteps)),
    },
  }
}

export function unpackLayout(text: string, stored: unknown): MappedDocument {
  const { words, ...layout } = storedLayout.parse(stored)
  return { text, ...layout, words: words.start.map((start, index) => wordAt(words, start, index)) }
}

function wordAt(words: StoredLayout['words'], start: number, index: number): MappedWord {
  const edge = (corner: number) => (words.box[4 * index + corner] ?? 0) / boxSteps
  return {
    page: words.page[index] ?? 1,
    start,
    length: words.length[index] ?? 0,
    box: [edge(0), edge(1), edge(2), edge(3)],
    confidence01: (words.confidence[index] ?? 0) / confidenceSteps,
  }
}
