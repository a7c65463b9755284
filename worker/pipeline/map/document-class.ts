/**
 * Evidence for each class is counted: titles near the top of the first page weigh most, known sections and telling
 * phrases less. Too little evidence is "unknown", which costs nothing but defaults.
 */
import type { DocumentClass, LineKind, Section } from '../../../clinical/document/mapped.ts'
import { sectionOfHeading } from '../../../clinical/terminology/section-headings.ts'
import type { Assembled } from './assemble-text.ts'
import { evidence, type Evidence } from './class-evidence.ts'
import { cellTexts } from './line-kinds.ts'

const titleLines = 8
const longestTitle = 12
const enough = 3

export function documentClassOf(
  assembled: Assembled,
  kinds: readonly LineKind[],
  sections: readonly Section[],
): DocumentClass {
  const found = new Set(sections.map(({ slug }) => slug))
  const headers = assembled.lines.filter((_, index) => kinds[index] === 'table_header')
  const seen = {
    titles: titlesOf(assembled, kinds, found),
    text: assembled.text,
    found,
    headers: headers.map((line) => cellTexts(assembled, line)),
  }
  const scores = evidence.map((kind) => ({ class: kind.class, score: scoreOf(kind, seen) }))
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a))
  return best.score >= enough ? best.class : 'unknown'
}

type Seen = {
  readonly titles: readonly string[]
  readonly text: string
  readonly found: ReadonlySet<string | null>
  readonly headers: readonly (readonly string[])[]
}

/** Short lines near the top; where a document has many sections, the heading of one of them is no title. */
function titlesOf(assembled: Assembled, kinds: readonly LineKind[], found: Seen['found']): string[] {
  const top: number[] = []
  for (const [index, { page }] of assembled.lines.entries()) {
    if (page !== assembled.pages[0]?.number || top.length === titleLines) break
    if (kinds[index] !== 'furniture') top.push(index)
  }
  let isLetter = false
  return top.flatMap((index) => {
    const line = assembled.lines[index]
    if (line === undefined || kinds[index] === 'list_item' || line.words.length > longestTitle) return []
    const title = assembled.text.slice(line.start, line.start + line.length)
    if (/^(?:dear\b|to whom)/i.test(title)) isLetter = true
    const isHeading = sectionOfHeading(title) !== null
    const isSection = kinds[index] === 'heading' && found.size > 3 && isHeading
    // "Imaging: CT of the chest showed …" is a part of the letter that has begun above it.
    const isInLetter = isLetter && (isHeading || /^[^:]{2,40}:\s*\S/.test(title))
    return isSection || isInLetter ? [] : [title]
  })
}

/** One word alone never reaches `enough`, but for a title: "HOSPITAL COURSE" stands in letters about discharges, too. */
function scoreOf(kind: Evidence, { titles, text, found, headers }: Seen): number {
  const place = titles.findIndex((title) => kind.title.test(title))
  const title = place === -1 ? 0 : place < 4 ? 5 : 3
  const phrases = kind.phrases.filter((phrase) => phrase.test(text)).length
  const sections = kind.sections.filter((slug) => found.has(slug)).length
  const telling = (kind.tellingPhrases ?? []).some((phrase) => phrase.test(text)) ? 4 : 0
  const columns = kind.columns !== undefined && headers.some((cells) => headsAll(cells, kind.columns ?? [])) ? 3 : 0
  return title + telling + columns + phrases * 0.8 + sections * 0.8
}

function headsAll(cells: readonly string[], columns: readonly RegExp[]): boolean {
  return columns.every((column) => cells.some((cell) => column.test(cell)))
}
