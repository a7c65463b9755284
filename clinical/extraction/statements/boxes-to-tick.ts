/**
 * Forms print every choice: what stands beside an open box was not chosen, so nobody has said it. Boxes stand before
 * their choice, or behind it where they end the line or cell. Where the choices are answers ("Asthma [ ] Yes [x] No"),
 * the ticked one answers what stands before them.
 */
import type { MappedDocument } from '../../document/mapped.ts'
import { touchedBy } from '../../document/places.ts'
import { findAnswerColumns, type ColumnAnswer } from './answer-columns.ts'

type Span = readonly [start: number, end: number]
type Mark = { readonly start: number; readonly length: number; readonly isOpen: boolean }
type Choice = { readonly start: number; readonly length: number; readonly isOpen: boolean; readonly isAnswer: boolean }

export type BoxesToTick = {
  /** Whether what is printed at this place of the text is the choice of a box that nobody ticked. */
  readonly isUnticked: (at: number) => boolean
  /** Whether a word at this place is to be read at all: not a box, nor an answer that was not chosen. */
  readonly isPrinted: (at: number) => boolean
  /** The answer that a tick under "Yes" or "No" at this place gives to its row. */
  readonly answerAt: (at: number) => ColumnAnswer | null
  /** The stretches of a span that are said: without boxes, and without the choices of open ones. */
  readonly saidIn: (span: Span) => readonly Span[]
}

/** Circles are bullets, except before an answer. */
const box =
  /[☐□▢☑☒■✓✔✗✘]|\[[ \t]?[xX✓]?[ \t]?\]|[○◯●◉⚪⚫](?=[ \t]?(?:[Yy]es|YES|[Nn]o|NO|[Uu]nsure|[Uu]nknown|[YN])(?!\p{L}))/gu
const ticked = /[☑☒■✓✔✗✘xX●◉⚫]/u
const open = /^(?:[☐○◯⚪]|\[\s*\])$/u
const answerWord = /^\s*(?:yes|no|y|n|unsure|unknown|not sure|never|don['’]t know|n\/a)(?![\p{L}\p{N}'’])/iu
const answerBefore = /(?<![\p{L}\p{N}'’])(?:yes|no|y|n|unsure|unknown|not sure|never|don['’]t know|n\/a)\s*$/iu

const endOf = ({ start, length }: { start: number; length: number }): number => start + length

export function findBoxesToTick(document: MappedDocument): BoxesToTick {
  const { text, lines } = document
  const columns = findAnswerColumns(document)
  const isUnanswered = (at: number) => columns.unanswered.some((row) => row.start <= at && at < endOf(row))
  const answerAt = (at: number) => columns.answerAt.get(at) ?? null
  const marks = findMarks(text).filter(({ start }) => !columns.marks.has(start))
  if (marks.length === 0) {
    return {
      isUnticked: isUnanswered,
      isPrinted: (at) => !columns.marks.has(at) || columns.answerAt.has(at),
      answerAt,
      saidIn: (span) => [span],
    }
  }
  const lineAt = (at: number) => touchedBy(lines, { start: at, end: at + 1 })[0]
  const choices = [...Map.groupBy(marks, ({ start }) => lineAt(start))]
    .flatMap(([line, own]) => (line ? choicesOf(text, [line.start, endOf(line)], own) : []))
    .toSorted((a, b) => a.start - b.start)
  const choiceAt = (at: number) => touchedBy(choices, { start: at, end: at + 1 })[0]
  const markAt = (at: number) => touchedBy(marks, { start: at, end: at + 1 })[0]

  return {
    isUnticked: (at) => choiceAt(at)?.isOpen === true || isUnanswered(at),
    answerAt,
    isPrinted: (at) => {
      const choice = choiceAt(at)
      if (columns.marks.has(at)) return columns.answerAt.has(at)
      return markAt(at) === undefined && (choice?.isAnswer !== true || !choice.isOpen)
    },
    saidIn: ([from, to]) => {
      const inside = touchedBy(marks, { start: from, end: to })
      if (inside.length === 0) return [[from, to]]
      const own = touchedBy(choices, { start: from, end: to })
      // Answers stay in one stretch with their question; their boxes are not printed words.
      const cuts = [
        ...inside.filter((mark) => !own.some((choice) => choice.isAnswer && touches(mark, choice))),
        ...own.filter((choice) => choice.isOpen && !choice.isAnswer),
      ]
      return without([from, to], cuts).filter(([start, end]) => text.slice(start, end).trim() !== '')
    },
  }
}

function findMarks(text: string): Mark[] {
  const found = Array.from(text.matchAll(box), ({ 0: mark, index }) => ({ mark, start: index }))
  // An open square is also a bullet of some fonts: it is a box only where another one is ticked.
  const isForm = found.some(({ mark }) => ticked.test(mark))
  // A cross ticks a box, but beside check marks it says no.
  const isCrossNo = found.some(({ mark }) => /[✓✔]/u.test(mark)) && found.some(({ mark }) => /[✗✘]/u.test(mark))
  return found.flatMap(({ mark, start }): Mark[] => {
    const isOpen = open.test(mark)
    const isCrossed = isCrossNo && /[✗✘]/u.test(mark)
    return isOpen || isForm ? [{ start, length: mark.length, isOpen: isOpen || isCrossed || !ticked.test(mark) }] : []
  })
}

/** What each box of a line stands for. Behind their choices where words come first and a box ends the line. */
function choicesOf(text: string, [from, to]: Span, marks: readonly Mark[]): Choice[] {
  const [first, last] = [marks[0], marks.at(-1)]
  if (first === undefined || last === undefined) return []
  const isBehind = text.slice(from, first.start).trim() !== '' && text.slice(endOf(last), to).trim() === ''
  const whole = marks.map((mark, place): Choice => {
    const [start, end] = isBehind
      ? [place === 0 ? from : endOf(marks[place - 1] ?? mark), mark.start]
      : [endOf(mark), marks[place + 1]?.start ?? to]
    return (
      answerChoice(text, [start, end], mark, isBehind) ?? {
        start,
        length: end - start,
        isOpen: mark.isOpen,
        isAnswer: false,
      }
    )
  })
  const isAnswered = whole.some((choice) => choice.isAnswer && !choice.isOpen)
  // Nothing ticked: both answers stay, and answer nothing.
  return whole.map((choice) => (choice.isAnswer && !isAnswered ? { ...choice, isOpen: false } : choice))
}

/** Only the answer's own word: behind it the next question may begin. */
function answerChoice(text: string, [start, end]: Span, { isOpen }: Mark, isBehind: boolean): Choice | null {
  const printed = text.slice(start, end)
  const word = isBehind ? answerBefore.exec(printed) : answerWord.exec(printed)
  if (!word) return null
  return { start: start + word.index, length: word[0].length, isOpen, isAnswer: true }
}

/** A box belongs to the answer that it touches. */
function touches(mark: Mark, choice: Choice): boolean {
  return endOf(mark) === choice.start || endOf(choice) === mark.start
}

function without([from, to]: Span, cuts: readonly { start: number; length: number }[]): Span[] {
  const kept: Span[] = []
  let start = from
  for (const cut of cuts.toSorted((a, b) => a.start - b.start)) {
    if (cut.start > start) kept.push([start, Math.min(cut.start, to)])
    start = Math.max(start, endOf(cut))
  }
  return start < to ? [...kept, [start, to]] : kept
}
