/**
 * Questionnaires with a column for "Yes" and one for "No", and a tick in one of them: the tick is the answer of its row,
 * and a row without one was not answered. Where the columns stand is what their headings' boxes say.
 */
import type { Line, MappedDocument, MappedWord } from '../../document/mapped.ts'

export type ColumnAnswer = 'yes' | 'no' | 'unsure'
export type AnswerColumns = {
  /** The answer that a mark at this place of the text gives. */
  readonly answerAt: ReadonlyMap<number, ColumnAnswer>
  /** Marks that are read by their column: the ticked ones as answers, open boxes not at all. */
  readonly marks: ReadonlySet<number>
  /** Rows that nobody answered, or whose "no" stands before its question. */
  readonly unanswered: readonly { readonly start: number; readonly length: number }[]
}

const tick = /^(?:[✓✔√☑☒✗✘✕✖■●◉⚫xXü]|[[(][xX✓✔√][\])])$/u
const openBox = /^(?:[☐□▢○◯⚪]|[[(][\])])$/u
const answerOf: Readonly<Record<string, ColumnAnswer>> = {
  yes: 'yes',
  y: 'yes',
  no: 'no',
  n: 'no',
  unsure: 'unsure',
  unknown: 'unsure',
  'not sure': 'unsure',
  "don't know": 'unsure',
}

type Column = { readonly answer: ColumnAnswer; readonly centre: number }
type Row = { readonly line: Line; readonly ticks: readonly { word: MappedWord; answer: ColumnAnswer }[] }

export function findAnswerColumns(document: MappedDocument): AnswerColumns {
  const answerAt = new Map<number, ColumnAnswer>()
  const marks = new Set<number>()
  const unanswered: { start: number; length: number }[] = []
  for (const [place, line] of document.lines.entries()) {
    const columns = columnsOf(document, line)
    if (columns === null) continue
    for (const row of rowsUnder(document, place, columns)) {
      const answers = new Set(row.ticks.map((tickOfRow) => tickOfRow.answer))
      const [only] = answers
      const isLeading = isBeforeQuestion(document, row.line, columns)
      if (only === undefined || (isLeading && only !== 'yes')) unanswered.push(row.line)
      for (const word of wordsOf(document, row.line)) if (isMark(document, word)) marks.add(word.start)
      if (only === undefined || isLeading) continue
      for (const { word } of row.ticks) answerAt.set(word.start, answers.size > 1 ? 'unsure' : only)
    }
  }
  return { answerAt, marks, unanswered }
}

/** A line that ends in the headings "Yes" and "No", in whichever order; none of them answers anything itself. */
function columnsOf(document: MappedDocument, line: Line): Column[] | null {
  if (line.kind === 'furniture') return null
  const words = wordsOf(document, line)
  const columns = words.flatMap((word): Column[] => {
    const answer = answerOf[printed(document, word).toLowerCase().replace(/[.:]$/, '')]
    return answer === undefined ? [] : [{ answer, centre: centreOf(word) }]
  })
  const has = (answer: ColumnAnswer) => columns.some((column) => column.answer === answer)
  const isMarked = words.some((word) => isMark(document, word))
  return has('yes') && has('no') && !isMarked && columns.length <= 6 ? columns : null
}

/** Rows follow their heading; a title or question without a tick may stand between two that have one. */
function rowsUnder(document: MappedDocument, heading: number, columns: readonly Column[]): Row[] {
  const rows: Row[] = []
  let last = 0
  for (const line of document.lines.slice(heading + 1)) {
    if (line.page !== document.lines[heading]?.page || columnsOf(document, line) !== null) break
    if (rows.length - last > 2) break
    const ticks = wordsOf(document, line).flatMap((word) => {
      const answer = tick.test(printed(document, word)) ? columnUnder(columns, word) : null
      return answer === null ? [] : [{ word, answer }]
    })
    rows.push({ line, ticks })
    if (ticks.length > 0) last = rows.length
  }
  return rows.slice(0, last)
}

function columnUnder(columns: readonly Column[], word: MappedWord): ColumnAnswer | null {
  const sorted = columns.toSorted((a, b) => distance(a, word) - distance(b, word))
  const [nearest, next] = sorted
  if (!nearest) return null
  const gap = next ? Math.abs(nearest.centre - next.centre) : 0.1
  return distance(nearest, word) <= Math.min(0.6 * gap, 0.08) ? nearest.answer : null
}

const distance = (column: Column, word: MappedWord) => Math.abs(column.centre - centreOf(word))

/** "Yes | No | Asthma": the boxes stand before what they answer. */
function isBeforeQuestion(document: MappedDocument, line: Line, columns: readonly Column[]): boolean {
  const first = Math.min(...columns.map((column) => column.centre))
  return !wordsOf(document, line).some(
    (word) => centreOf(word) < first && /\p{L}{2}/u.test(printed(document, word)) && !isMark(document, word),
  )
}

function isMark(document: MappedDocument, word: MappedWord): boolean {
  const text = printed(document, word)
  return tick.test(text) || openBox.test(text)
}

function wordsOf({ words }: MappedDocument, line: Line): MappedWord[] {
  return line.words.flatMap((place) => words[place] ?? [])
}

function printed({ text }: MappedDocument, word: MappedWord): string {
  return text.slice(word.start, word.start + word.length)
}

function centreOf({ box }: MappedWord): number {
  return (box[0] + box[2]) / 2
}
