import { setImmediate } from 'node:timers/promises'
import type { MapDocument, MappedDocument } from '../../../clinical/document/mapped.ts'
import type { Page } from '../../../clinical/document/page.ts'
import { writeText } from './assemble-text.ts'
import { findBands } from './bands.ts'
import { findColumnRuns } from './column-runs.ts'
import { documentClassOf } from './document-class.ts'
import { draftLines } from './draft-lines.ts'
import { findFurniture } from './furniture.ts'
import { levelWords } from './level-words.ts'
import { lineKinds } from './line-kinds.ts'
import { localeOf } from './locale.ts'
import { placeStructure } from './place-structure.ts'
import { findSections } from './sections.ts'
import { sortStray, strayLines } from './stray-words.ts'

/** Changes when lines, cells or offsets may come out differently. */
export const mapVersion = '4'

/** Words of pages → one text with lines, cells, tables and sections over it. */
export const mapPages: MapDocument = (pages) => {
  const turns = mapInTurns(pages)
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
  }
}

const longestTurnMs = 15

/** The same without holding up what else the process does: heartbeats, other files, health checks. */
export async function mapPagesAside(pages: readonly Page[], signal: AbortSignal): Promise<MappedDocument> {
  const turns = mapInTurns(pages)
  let since = performance.now()
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
    if (performance.now() - since < longestTurnMs) continue
    await setImmediate()
    signal.throwIfAborted()
    since = performance.now()
  }
}

function* mapInTurns(pages: readonly Page[]): Generator<void, MappedDocument> {
  const writer = writeText()
  for (const page of pages) {
    const { lined, stray } = sortStray(levelWords(page))
    writer.addPage({ page, lines: [...draftLines(findColumnRuns(findBands(lined))), ...strayLines(stray)] })
    yield
  }
  const assembled = writer.finish()
  const furniture = findFurniture(assembled, pages.length)
  yield
  const kinds = lineKinds(assembled, furniture)
  yield
  const { sections, sectionOfLine } = findSections(assembled, kinds)
  yield
  const documentClass = documentClassOf(assembled, kinds, sections)
  yield
  const lines = assembled.lines.map(({ page, start, length, box, cells, words, table, isBold }, index) => {
    const [kind, section] = [kinds[index] ?? 'text', sectionOfLine[index] ?? 0]
    return { page, start, length, box, kind, cells, words, table, section, isBold }
  })
  const { text, words } = assembled
  const structure = placeStructure(pages, words)
  return { text, pages: assembled.pages, words, lines, sections, documentClass, locale: localeOf(text), structure }
}
