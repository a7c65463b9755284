import type { MapDocument } from '../../../clinical/document/mapped.ts'
import { assembleText } from './assemble-text.ts'
import { findBands } from './bands.ts'
import { findColumnRuns } from './column-runs.ts'
import { documentClassOf } from './document-class.ts'
import { draftLines } from './draft-lines.ts'
import { findFurniture } from './furniture.ts'
import { lineKinds } from './line-kinds.ts'
import { localeOf } from './locale.ts'
import { placeWords } from './placed-words.ts'
import { placeStructure } from './place-structure.ts'
import { findSections } from './sections.ts'

/** Changes when lines, cells or offsets may come out differently. */
export const mapVersion = '2'

/** Words of pages → one text with lines, cells, tables and sections over it. */
export const mapPages: MapDocument = (pages) => {
  const drafts = pages.map((page) => ({
    page,
    lines: draftLines(findColumnRuns(findBands(placeWords(page)))),
  }))
  const assembled = assembleText(drafts)
  const furniture = findFurniture(assembled, pages.length)
  const kinds = lineKinds(assembled, furniture)
  const { sections, sectionOfLine } = findSections(assembled, kinds)
  return {
    text: assembled.text,
    pages: assembled.pages,
    words: assembled.words,
    lines: assembled.lines.map((line, index) => ({
      ...line,
      kind: kinds[index] ?? 'text',
      section: sectionOfLine[index] ?? 0,
    })),
    sections,
    documentClass: documentClassOf(assembled, kinds, sections),
    locale: localeOf(assembled.text),
    structure: placeStructure(pages, assembled.words),
  }
}
