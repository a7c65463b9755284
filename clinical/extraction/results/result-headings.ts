/** Rows that head columns of measurements, though no word of theirs says "test" or "result": "Date, BP, pulse", "Pred, LLN, Pre, %Pred". */
import type { Cell, Line, MappedDocument } from '../../document/mapped.ts'
import type { Observation } from '../../terminology/concepts.ts'
import { unitOf } from '../../terminology/units.ts'
import { observationNamed } from './observation-name.ts'

const longestHeading = 40
const longestName = 80
/** "AM pulse", "Standing BP", "Left arm reading". */
const circumstance =
  /^(?:[ap]\.?m\.?|morning|evening|noon|lying|sitting|standing|left|right|first|second|1st|2nd|home|clinic|average|mean|pre|post)(?: arm)?\s+/i
const isReading = /\breadings?$/i
/** What stands where values do: figures, or a finding in words. */
const valueLike =
  /^[([:]?\s*(?:[<>≤≥]=?\s?|[-−+])?\d|^:?\s*(?:not |non-?)?(?:detected|reactive)\b|^(?:positive|negative)$/i

export type HeadedAs = 'measure' | 'other' | 'unknown'

/**
 * Nothing in it is a value, most of it is known, at least two of its cells head measurements (one beside a day or an
 * hour), and the row below it holds values. `headedAs` says what a cell's words are known to head.
 */
export function headsMeasures(
  { lines, text }: MappedDocument,
  place: number,
  headedAs: (words: string) => HeadedAs,
): boolean {
  const line = lines[place]
  const below = lines[place + 1]
  if (!line || !below || line.kind === 'furniture' || line.cells.length < 2 || below.cells.length < 2) return false
  if (!below.cells.some((cell, at) => at > 0 && valueLike.test(wordsIn(text, cell)))) return false
  const words = line.cells.map((cell) => wordsIn(text, cell))
  if (words.some((cell) => day.test(cell)))
    return headsDays(
      words,
      below.cells.map((cell) => wordsIn(text, cell)),
      headedAs,
    )
  if (words.some((cell) => cell.length > longestHeading || valueLike.test(cell) || /:\s*\S/.test(cell))) return false
  const heads = words.map((cell) => (columnMeasure(cell) || isReading.test(cell) ? 'measure' : headedAs(cell)))
  const measures = heads.filter((head) => head === 'measure').length
  const known = heads.filter((head) => head !== 'unknown').length
  const isTimed = words.some((cell) => /^(?:date|day|time|visit)\b/i.test(cell))
  return known >= heads.length / 3 && (measures >= 2 || (measures === 1 && isTimed))
}

const day = /^(?:\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[ -]?\p{L}{3,9}\.?[ -]?\d{2,4})$/u

/** "05/01/2024, 02/02/2024, Target": nothing but days and known headings, and no days below. A vaccine with its days is no heading. */
function headsDays(words: readonly string[], below: readonly string[], headedAs: (words: string) => HeadedAs): boolean {
  const isKnown = words.every((cell) => day.test(cell) || headedAs(cell) !== 'unknown')
  return isKnown && !below.some((cell) => day.test(cell)) && below.length >= words.length
}

export type ColumnMeasure = {
  readonly nameLength: number
  readonly unit: { readonly from: number; readonly to: number } | null
}

/** Amounts that are given, not measured. */
const given = /\b(?:dose|dosage|strength|amount|taken|given|quantity|price|fee)\b/i

/** "Weight (kg)", "BP", "TSH uIU/mL": the observation that a heading or a row's label names, and the unit in it. */
export function columnMeasure(words: string): ColumnMeasure | null {
  const { nameLength, unit } = unitInName(words)
  const name = words.slice(0, nameLength)
  if (observationUnder(name)) return { nameLength, unit }
  const isMeasure = unit !== null && /\p{L}{2}/u.test(name) && !given.test(name)
  return isMeasure ? { nameLength, unit } : null
}

/** The observation of a heading, whatever the time or place of day that is printed before it. */
export function observationUnder(name: string): Observation | null {
  const named = [observationNamed(name), observationNamed(name.replace(circumstance, ''))].find((each) => each?.isWhole)
  return named?.observation ?? null
}

/** A name without the unit that is printed in it: in brackets, behind a comma, or as its last word where it has a stroke. */
export function unitInName(words: string): ColumnMeasure {
  if (words.length > longestName) return { nameLength: words.length, unit: null }
  const bracketed = /\s*[([]\s*(?:in )?([^()[\]]+?)\s*[)\]]\s*$/.exec(words)
  const loose = bracketed ? null : (/\s*,\s*(\S+)\s*$/.exec(words) ?? /\s+(\S*[/%]\S*|mmHg)\s*$/i.exec(words))
  const match = bracketed ?? loose
  const printed = match?.[1]
  const isUnit = printed !== undefined && !/^\d+$/.test(printed) && unitOf(printed) !== null
  if (!match || printed === undefined || !isUnit || match.index === 0) return { nameLength: words.length, unit: null }
  const from = match.index + match[0].indexOf(printed)
  return { nameLength: match.index, unit: { from, to: from + printed.length } }
}

/** "LLN Pre" over "3.60 3.71": two columns that are set so closely that they were taken for one. */
export function partedCells(
  { text, words }: MappedDocument,
  line: Line,
  isParted: (cell: Cell, parts: readonly string[]) => boolean,
): readonly Cell[] {
  let at = 0
  return line.cells.flatMap((cell) => {
    const from = at
    while (at < line.words.length && (words[line.words[at] ?? 0]?.start ?? 0) < cell.start + cell.length) at += 1
    if (at - from < 2 || at - from > mostParts) return [cell]
    const parts = line.words.slice(from, at).flatMap((word) => words[word] ?? [])
    const printed = parts.map((word) => text.slice(word.start, word.start + word.length))
    if (!isParted(cell, printed)) return [cell]
    return parts.map(({ start, length, box }) => ({ start, length, column: null, box }))
  })
}

const mostParts = 4

function wordsIn(text: string, cell: Cell): string {
  return text.slice(cell.start, cell.start + cell.length).trim()
}
