/**
 * What of a document leaves the machine. Always as long as the document, place by place, so that what a model quotes from
 * it is found again in the document.
 */
import type { MappedDocument } from '../../clinical/document/mapped.ts'

type Range = { readonly start: number; readonly end: number }

/** The text with everything but some of its lines blank. */
export function linesAlone(document: MappedDocument, kept: readonly number[]): string {
  const isKept = new Set(kept)
  const others = document.lines.filter((line, index) => !isKept.has(index) || line.kind === 'furniture')
  return replaced(
    document.text,
    others.map(({ start, length }) => ({ start, end: start + length })),
    (words) => words.replaceAll(/[^\n\f]/g, ' '),
  )
}

/** The text with words of the same shape in place of those that identify somebody. */
export function hideRanges(text: string, ranges: readonly Range[]): string {
  return replaced(text, ranges, (words) =>
    words
      .replaceAll(/\p{Lu}/gu, (letter) => 'X'.repeat(letter.length))
      .replaceAll(/[\p{L}\p{M}]/gu, (letter) => (letter === 'X' ? 'X' : 'x'.repeat(letter.length)))
      .replaceAll(/\p{N}/gu, (figure) => '0'.repeat(figure.length)),
  )
}

function replaced(text: string, ranges: readonly Range[], by: (words: string) => string): string {
  const pieces: string[] = []
  let at = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const from = Math.max(at, start)
    if (end <= from) continue
    pieces.push(text.slice(at, from), by(text.slice(from, end)))
    at = end
  }
  return pieces.join('') + text.slice(at)
}
