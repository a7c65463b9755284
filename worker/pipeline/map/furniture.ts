/**
 * What pages repeat around their content. Lines near an edge that stand there on several pages, alike but for the number
 * of the page and the hour of printing, and page numbers wherever they stand near an edge. Rows of tables are content,
 * even where a report prints the same test at the same place of each page; so are headings over the columns of a table.
 */
import { sectionOfHeading } from '../../../clinical/terminology/section-headings.ts'
import type { Assembled, AssembledLine } from './assemble-text.ts'
import { looksLikeHeader } from './table-headers.ts'

const edge = 0.15
const pageNumber = /^(?:page|pg\.?|p\.)?\s*\d{1,3}\s*(?:(?:of|\/)\s*\d{1,3})?$/i
const numberedPage = /\bpage\s+\d+\s+of\s+\d+\b/i

/** Indexes of lines. */
export function findFurniture(assembled: Assembled, pageCount: number): ReadonlySet<number> {
  const furniture = new Set<number>()
  const places = new Map<string, { pages: Set<number>; lines: number[] }>()
  assembled.lines.forEach((line, index) => {
    if (!isNearEdge(line) || isRow(assembled, line)) return
    const text = assembled.text.slice(line.start, line.start + line.length)
    // A form has its headings at the same place of each page: they head what stands below them there.
    if (sectionOfHeading(text) !== null) return
    if (isPageNumber(text, line)) furniture.add(index)
    const key = `${line.box[1] < 0.5 ? 'top' : 'bottom'} ${alike(text)}`
    const place = places.get(key) ?? { pages: new Set(), lines: [] }
    places.set(key, place)
    place.pages.add(line.page)
    place.lines.push(index)
  })
  for (const { pages, lines } of places.values()) {
    if (pages.size >= Math.max(2, Math.ceil(pageCount * 0.5))) lines.slice(1).forEach((index) => furniture.add(index))
  }
  return furniture
}

const changing = [
  /\b(?:page|pg\.?|p\.)\s*\d+(?:\s*(?:of|\/)\s*\d+)?/g,
  /\b\d+\s*(?:of|\/)\s*\d+$/g,
  /^\d+\s|\s\d+$|^\d+$/g,
  /\b\d{1,2}:\d\d(?::\d\d)?\s*(?:[ap]m)?/g,
]

function alike(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ').toLowerCase()
  return changing.reduce((left, pattern) => left.replaceAll(pattern, '#'), plain)
}

function isRow({ text }: Assembled, { table, cells }: AssembledLine): boolean {
  if (table === null) return false
  const texts = cells.map(({ start, length }) => text.slice(start, start + length))
  return looksLikeHeader(texts) || texts.slice(1).some((cell) => /^[<>*]?\s?[HL]?\s?\d[\d.,]*(?:\s|$|[HL])/.test(cell))
}

function isNearEdge({ box }: AssembledLine): boolean {
  return box[3] < edge || box[1] > 1 - edge
}

function isPageNumber(text: string, { box, cells }: AssembledLine): boolean {
  if (numberedPage.test(text)) return cells.length <= 2 || text.length < 80
  return pageNumber.test(text) && (box[3] < 0.07 || box[1] > 0.93)
}
