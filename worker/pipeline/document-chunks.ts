/** The parts of a document that are asked about one by one: cut where a section begins, between lines in any case. */
import type { Line, MappedDocument } from '../../clinical/document/mapped.ts'
import { touchedBy } from '../../clinical/document/places.ts'
import { coverOfData } from './stated-facts.ts'

export type Chunk = { readonly start: number; readonly end: number }

const chunkLength = 6000
/** What is shorter and still too long for an answer does not become answerable by another cut. */
const shortestCut = 400

export function chunksOf(document: MappedDocument): Chunk[] {
  const data = coverOfData(document)
  const sectionStarts = new Set(document.sections.map((section) => section.firstLine))
  const chunks: { start: number; end: number }[] = []
  let isAfterData = false
  document.lines.forEach((line, index) => {
    // What the file states as data is known already.
    if (data.touches({ start: line.start, end: line.start + line.length })) {
      isAfterData = true
      return
    }
    const last = chunks.at(-1)
    const length = last === undefined ? 0 : line.start + line.length - last.start
    const isCut =
      last === undefined ||
      isAfterData ||
      length > chunkLength ||
      (length > chunkLength / 2 && sectionStarts.has(index))
    isAfterData = false
    if (isCut) chunks.push({ start: line.start, end: line.start + line.length })
    else last.end = line.start + line.length
  })
  return chunks.filter((chunk) => document.text.slice(chunk.start, chunk.end).trim() !== '')
}

/** Two parts of a part, at the section or line that begins nearest to its middle; null where there is none. */
export function halvesOf(document: MappedDocument, chunk: Chunk): readonly [Chunk, Chunk] | null {
  if (chunk.end - chunk.start < shortestCut) return null
  const sectionStarts = new Set(document.sections.map(({ firstLine }) => document.lines[firstLine]?.start))
  const middle = (chunk.start + chunk.end) / 2
  const inside = linesIn(document, chunk).filter(({ start }) => start > chunk.start)
  const distance = ({ start }: Line) =>
    Math.abs(start - middle) - (sectionStarts.has(start) ? (chunk.end - chunk.start) / 4 : 0)
  const [cut] = inside.toSorted((a, b) => distance(a) - distance(b))
  return cut === undefined
    ? null
    : [
        { start: chunk.start, end: cut.start },
        { start: cut.start, end: chunk.end },
      ]
}

export function linesIn(document: MappedDocument, chunk: Chunk): readonly Line[] {
  return touchedBy(document.lines, chunk)
}
