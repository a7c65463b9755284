/**
 * Columns set so tightly that no row shows a wide gap between them: a stripe that stays free in all rows, is wider than
 * a space, and has words starting at one line behind it.
 */
import type { Band } from './bands.ts'
import { median } from './bands.ts'
import type { Gutter } from './column-runs.ts'
import type { PlacedWord } from './placed-words.ts'

type Stripe = { readonly left: number; readonly right: number }

export function narrowGutters(bands: readonly Band[], known: readonly Gutter[]): Gutter[] {
  const rows = bands.filter(({ segments }) => segments.length > 1)
  if (rows.length < 3) return []
  const words = rows.map(({ segments }) => segments.flatMap((segment) => [...segment.words]))
  const narrowest = narrowestStripe(rows)
  return freeStripes(words.flat(), narrowest)
    .filter((stripe) => !known.some((gutter) => gutter.left < stripe.right && stripe.left < gutter.right))
    .filter((stripe) => separatesColumns(stripe, words, known))
    .map((stripe) => ({ ...stripe, crossings: 0, support: rows.length }))
}

/** Clearly wider than the spaces of these rows. */
function narrowestStripe(rows: readonly Band[]): number {
  const inkHeight = median(rows.map(({ top, bottom }) => bottom - top))
  const spaces = rows.flatMap(({ segments }) =>
    segments.flatMap(({ words }) =>
      words.slice(1).map((word, index) => word.left - (words[index]?.right ?? word.left)),
    ),
  )
  return Math.max(0.5 * inkHeight, 1.5 * median(spaces))
}

function freeStripes(words: readonly PlacedWord[], narrowest: number): Stripe[] {
  const stripes: Stripe[] = []
  let reach = Number.POSITIVE_INFINITY
  for (const word of words.toSorted((a, b) => a.left - b.left)) {
    if (word.left - reach >= narrowest) stripes.push({ left: reach, right: word.left })
    reach = reach === Number.POSITIVE_INFINITY ? word.right : Math.max(reach, word.right)
  }
  return stripes
}

/** Rows have words on both sides within the same known column, and those behind the stripe start at one line. */
function separatesColumns(stripe: Stripe, rows: readonly (readonly PlacedWord[])[], known: readonly Gutter[]): boolean {
  const start = Math.max(0, ...known.filter(({ right }) => right <= stripe.left).map(({ right }) => right))
  const end = Math.min(
    ...known.filter(({ left }) => left >= stripe.right).map(({ left }) => left),
    Number.POSITIVE_INFINITY,
  )
  const both = rows.flatMap((words) => {
    const before = words.some((word) => word.left >= start && word.right <= stripe.left)
    const behind = words.filter((word) => word.left >= stripe.right && word.right <= end)
    return before && behind.length > 0 ? [Math.min(...behind.map(({ left }) => left))] : []
  })
  if (both.length < 3) return false
  const common = median(both)
  return both.filter((left) => Math.abs(left - common) < 2).length >= 0.6 * both.length
}
