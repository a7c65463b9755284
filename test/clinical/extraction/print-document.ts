/** Sets lines of text as a mapped document: a tab parts cells, a form feed parts pages; every letter is as wide as the next; ~~words~~ are struck out. */
import type { Cell, Line, LineKind, MappedDocument, MappedWord, Section } from '../../../clinical/document/mapped.ts'
import { roleOf } from '../../../clinical/extraction/statements/section-role.ts'

const columns = 110
const rowsPerPage = 70

export type PrintedLine = { readonly text: string; readonly kind?: LineKind; readonly bold?: true }

export function printDocument(
  source: string | readonly (string | PrintedLine)[],
  options: {
    locale?: MappedDocument['locale']
    documentClass?: MappedDocument['documentClass']
    confidence01?: number
  } = {},
): MappedDocument {
  const given = (typeof source === 'string' ? source.split('\n') : source).map((line) =>
    typeof line === 'string' ? { text: line } : line,
  )
  const shown = given.filter((line) => line.text.trim() !== '')
  const words: MappedWord[] = []
  const lines: Line[] = []
  const sections: { heading: string | null; slug: string | null; firstLine: number; endLine: number }[] = [
    { heading: null, slug: null, firstLine: 0, endLine: 0 },
  ]
  let text = ''
  let table: number | null = null
  let tables = 0
  let isStruck = false

  shown.forEach((printed, place) => {
    const marked = printed.text.trim()
    const clean = marked.replaceAll('~~', '')
    const kind = printed.kind ?? kindOf(clean, table !== null)
    const isTable = kind === 'table_row' || kind === 'table_header'
    table = isTable ? (table ?? tables++) : null
    if (kind === 'heading') {
      sections.push({
        heading: clean.replace(/:$/, ''),
        slug: roleOf(clean, null).slug,
        firstLine: place,
        endLine: place,
      })
    }
    const start = text.length
    const cells: Cell[] = []
    const wordPlaces: number[] = []
    const top = (place % rowsPerPage) / rowsPerPage
    let x = 0
    for (const [column, cell] of marked.split('\t').entries()) {
      if (column > 0) {
        text += '\t'
        x = Math.max(x + 3, isTable ? column * 18 : 0)
      }
      const cellStart = text.length
      for (const [at, markedWord] of cell.trim().split(/ +/).entries()) {
        const word = markedWord.replaceAll('~~', '')
        const isWordStruck = isStruck || markedWord.startsWith('~~')
        if (markedWord.split('~~').length % 2 === 0) isStruck = !isStruck
        if (at > 0) {
          text += ' '
          x += 1
        }
        const right = x + word.length
        const box = [x / columns, top, Math.min(1, right / columns), top + 0.8 / rowsPerPage] as const
        wordPlaces.push(words.length)
        const confidence01 = options.confidence01 ?? 1
        const struck = isWordStruck ? { isStruck: true } : {}
        words.push({ page: 1, start: text.length, length: word.length, box, confidence01, ...struck })
        text += word
        x = right
      }
      const first = words[wordPlaces.find((w) => (words[w]?.start ?? 0) >= cellStart) ?? 0]
      const last = words.at(-1)
      cells.push({
        start: cellStart,
        length: text.length - cellStart,
        column: isTable ? column : null,
        box: [first?.box[0] ?? 0, top, last?.box[2] ?? 0, top + 0.8 / rowsPerPage],
      })
    }
    lines.push({
      page: 1,
      start,
      length: text.length - start,
      box: [0, top, Math.min(1, x / columns), top + 0.8 / rowsPerPage],
      kind,
      cells,
      words: wordPlaces,
      table,
      section: sections.length - 1,
      isBold: printed.bold ?? kind === 'heading',
    })
    const section = sections.at(-1)
    if (section) section.endLine = place + 1
    text += '\n'
  })

  return {
    text,
    pages: [{ number: 1, start: 0, length: text.length }],
    words,
    lines,
    sections: sections satisfies Section[],
    documentClass: options.documentClass ?? 'unknown',
    locale: options.locale ?? 'en-AU',
  }
}

function kindOf(text: string, inTable: boolean): LineKind {
  if (text.includes('\t')) return inTable || /\d/.test(text) ? 'table_row' : 'table_header'
  if (/^(?:[•*-]|\d{1,2}[.)])\s/.test(text)) return 'list_item'
  if (/^[^.;:]{2,50}:?$/.test(text) && !/\d{2}/.test(text) && roleOf(text, null).slug !== null) return 'heading'
  return /^\p{Lu}[^.:]{1,30}:\s/u.test(text) ? 'key_value' : 'text'
}
