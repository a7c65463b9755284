/** The development corpus: its documents, their printed words, and which of them the rules may not be written from. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Page, Word } from '../../clinical/document/page.ts'

export const kinds = ['docs', 'scans', 'formats', 'text', 'structured'] as const
export type Kind = (typeof kinds)[number]

const entrySchema = z.object({
  doc: z.string(),
  file: z.string(),
  truth: z.string(),
  derived_from: z.string().nullish(),
})
const wordSchema = z.tuple([z.string(), z.number(), z.number(), z.number(), z.number()])
const truthSchema = z.object({
  doc: z.string(),
  pages: z.array(
    z.object({
      page: z.number(),
      text: z.string().nullish(),
      words: z.array(wordSchema).nullish(),
      width_pt: z.number().nullish(),
      height_pt: z.number().nullish(),
    }),
  ),
})

export type CorpusDocument = {
  readonly doc: string
  readonly file: string
  readonly truth: string
  readonly kind: Kind | 'strangers'
  readonly isHeldOut: boolean
}

/** Of seventy makers, written by somebody who had not read the rules; the closed half may be counted, but not looked at. */
export const strangersFolder = join(import.meta.dirname, '../../test/fixtures/strangers')

export function listStrangers(): CorpusDocument[] {
  const entries = z
    .array(entrySchema.extend({ half: z.enum(['open', 'closed']) }))
    .parse(readJson(join(strangersFolder, 'index.json')))
  return entries.map(({ doc, file, truth, half }) => ({
    doc,
    file: join(strangersFolder, file),
    truth: join(strangersFolder, truth),
    kind: 'strangers',
    isHeldOut: half === 'closed',
  }))
}

/** The folder given, or `CORPUS_DIR`; null when there is none. */
export function findCorpus(given: string | undefined): string | null {
  const places = [given, process.env['CORPUS_DIR']]
  return places.find((place) => place !== undefined && existsSync(join(place, 'index.json'))) ?? null
}

export function listDocuments(corpus: string): CorpusDocument[] {
  const entries = z.array(entrySchema).parse(readJson(join(corpus, 'index.json')))
  return entries.flatMap(({ doc, file, truth, derived_from: origin }) => {
    const kind = kinds.find((known) => file.startsWith(`${known}/`))
    return kind
      ? [{ doc, file: join(corpus, file), truth: join(corpus, truth), kind, isHeldOut: isHeldOut(origin ?? doc) }]
      : []
  })
}

/** What happened to a scan ("s200", "photo", "fax"); its folder for what is no scan. */
export function conditionOf({ doc, kind }: Pick<CorpusDocument, 'doc' | 'kind'>): string {
  return kind === 'scans' ? (doc.split('--')[1] ?? kind) : kind
}

/** A third, by a hash of the name of the document that all variants derive from: fixed before any rule was written. */
export function isHeldOut(name: string): boolean {
  const origin = name.split('--')[0] ?? name
  return Number.parseInt(createHash('sha256').update(origin).digest('hex').slice(0, 8), 16) % 3 === 0
}

/** The words as the truth prints them: what a reader without a fault would deliver. */
export function goldPages(document: CorpusDocument): Page[] {
  const read = readJson(document.truth)
  const truths = z
    .array(truthSchema)
    .parse((Array.isArray(read) ? read : [read]).filter((truth) => truth.doc === document.doc))
  return (truths[0]?.pages ?? []).map((page) => ({
    number: page.page,
    widthPt: page.width_pt ?? 595,
    heightPt: page.height_pt ?? 842,
    rotation: 0,
    source: 'structured',
    engine: 'truth',
    quality: { grade: 'good', reason: null },
    words: page.words && page.words.length > 0 ? page.words.map(goldWord) : typedWords(page.text ?? ''),
  }))
}

function goldWord([text, x0, y0, x1, y1]: z.infer<typeof wordSchema>, place: number): Word {
  return { text, confidence01: 1, box: [x0, y0, x1, y1], line: place, block: 0 }
}

/** Plain text has no boxes; it is set as a typewriter would, so that mapping sees the same lines. */
function typedWords(text: string): Word[] {
  const lines = text.split('\n')
  const height = 1 / Math.max(lines.length, 60)
  return lines.flatMap((line, row) =>
    Array.from(line.matchAll(/\S+/g), (match): Word => {
      const left = match.index * 0.0065
      const right = left + match[0].length * 0.0065
      return {
        text: match[0],
        confidence01: 1,
        box: [left, row * height, right, (row + 0.7) * height],
        line: row,
        block: 0,
      }
    }),
  )
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
