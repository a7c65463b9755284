/**
 * Forms print every choice: what stands beside an open box was not chosen, so nobody has said it. Boxes stand before
 * their choice, or behind it at the end of a line or cell.
 */
import type { MappedDocument } from '../document/mapped.ts'
import { touchedBy } from '../document/places.ts'

type Mark = { readonly start: number; readonly length: number; readonly isOpen: boolean }
type Span = readonly [start: number, end: number]

export type BoxesToTick = {
  /** Whether what is printed at this place of the text is the choice of a box that nobody ticked. */
  readonly isUnticked: (at: number) => boolean
  /** The stretches of a span that are said: without boxes, and without the choices of open ones. */
  readonly saidIn: (span: Span) => readonly Span[]
}

const box = /[☐□▢☑☒■✓✔✗✘]|\[[ \t]?[xX✓]?[ \t]?\]/gu
const ticked = /[☑☒■✓✔✗✘xX]/u
const open = /^(?:☐|\[\s*\])$/u

const endOf = ({ start, length }: Mark): number => start + length

export function findBoxesToTick(document: MappedDocument): BoxesToTick {
  const { text, lines } = document
  const found = Array.from(text.matchAll(box), ({ 0: mark, index }) => ({ mark, start: index }))
  // An open square is also a bullet of some fonts: it is a box only where another one is ticked.
  const isForm = found.some(({ mark }) => ticked.test(mark))
  const marks = found.flatMap(({ mark, start }): Mark[] => {
    const isOpen = open.test(mark)
    return isOpen || isForm ? [{ start, length: mark.length, isOpen: isOpen || !ticked.test(mark) }] : []
  })
  if (marks.length === 0) return { isUnticked: () => false, saidIn: (span) => [span] }
  const lineAt = (at: number) => touchedBy(lines, { start: at, end: at + 1 })[0]
  const byLine = Map.groupBy(marks, ({ start }) => lineAt(start))
  const endsCell = (mark: Mark): boolean => /^ *(?:$|[\t\n\f])/.test(text.slice(endOf(mark), endOf(mark) + 200))

  return {
    isUnticked: (at) => {
      const inLine = byLine.get(lineAt(at)) ?? []
      const own = inLine.findLast(({ start }) => start < at) ?? inLine.slice(0, 1).find(endsCell)
      return own?.isOpen === true
    },
    saidIn: ([from, to]) => {
      const inside = touchedBy(marks, { start: from, end: to })
      const [first] = inside
      if (first === undefined) return [[from, to]]
      const isBehind = endsCell(first) && text.slice(from, first.start).trim() !== ''
      const before: Span[] = isBehind && first.isOpen ? [] : [[from, first.start]]
      const choices = inside.flatMap((mark, place): Span[] =>
        mark.isOpen ? [] : [[endOf(mark), inside[place + 1]?.start ?? to]],
      )
      return [...before, ...choices].filter(([start, end]) => text.slice(start, end).trim() !== '')
    },
  }
}
