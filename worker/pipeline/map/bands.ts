/**
 * Words that stand side by side form a band, whatever order the reader gave them in; a wide gap cuts a band into
 * segments. Whether the segments are cells of a table or strangers from neighbouring columns is decided later.
 */
import { centreX } from './placed-words.ts'
import type { PlacedWord } from './placed-words.ts'

export type Segment = {
  readonly words: readonly PlacedWord[]
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export type Band = {
  readonly segments: readonly Segment[]
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Wider than any space of justified text, narrower than two spaces of a typewriter face; in heights of the ink. */
const widestSpace = 1.5

export function findBands(words: readonly PlacedWord[]): Band[] {
  const inkHeight = median(words.filter(({ word }) => word.text.length > 2).map(({ top, bottom }) => bottom - top)) || 8
  const groups: Group[] = []
  for (const word of words.toSorted((a, b) => a.top + a.bottom - b.top - b.bottom)) {
    const near = groups.slice(-12).findLast((group) => isNear(group, word) && standsBeside(group, word))
    const home = near ?? { words: [], places: new Map(), top: word.top, bottom: word.bottom }
    if (near === undefined) groups.push(home)
    addTo(home, word)
  }
  return groups.map((group) => bandOf(group.words, inkHeight)).toSorted((a, b) => a.top + a.bottom - b.top - b.bottom)
}

/** `places` holds its words by stretches of the page's width, so that neighbours are found without looking at all. */
type Group = {
  readonly words: PlacedWord[]
  readonly places: Map<number, PlacedWord[]>
  top: number
  bottom: number
}

const stretch = 8
const widestPage = 300

function stretchesOf({ left, right }: PlacedWord): [first: number, last: number] {
  return [Math.floor(left / stretch), Math.floor(right / stretch)]
}

function addTo(group: Group, word: PlacedWord): void {
  group.words.push(word)
  group.top = Math.min(group.top, word.top)
  group.bottom = Math.max(group.bottom, word.bottom)
  const [first, last] = stretchesOf(word)
  for (let place = first; place <= last; place += 1) {
    const known = group.places.get(place)
    if (known === undefined) group.places.set(place, [word])
    else known.push(word)
  }
}

// Spares looking at each word of a band that lies clearly above.
function isNear({ top, bottom }: Group, word: PlacedWord): boolean {
  const reach = bottom - top
  return word.top < bottom + reach && word.bottom > top - reach
}

// Compared with the nearest word of the band only: a curled page bends its lines.
function standsBeside(group: Group, word: PlacedWord): boolean {
  let nearest: PlacedWord | undefined
  let distance = Number.POSITIVE_INFINITY
  for (const other of neighboursOf(group, word)) {
    const away = Math.max(other.left - word.right, word.left - other.right)
    if (away < -0.5 * Math.min(other.right - other.left, word.right - word.left)) return false
    if (away < distance) [nearest, distance] = [other, away]
  }
  if (nearest === undefined) return false
  const overlap = Math.min(nearest.bottom, word.bottom) - Math.max(nearest.top, word.top)
  const smaller = Math.min(nearest.bottom - nearest.top, word.bottom - word.top)
  if (overlap >= 0.5 * smaller) return true
  return isMark(word) !== isMark(nearest) && standsInReach(nearest, word)
}

/** The words of its own stretches, and of the first beside them that hold any. */
function neighboursOf({ words, places }: Group, word: PlacedWord): readonly PlacedWord[] {
  if (words.length < 16) return words
  const [first, last] = stretchesOf(word)
  const own = Array.from({ length: last - first + 1 }, (_, place) => places.get(first + place) ?? []).flat()
  for (let step = 1; step <= widestPage; step += 1) {
    const beside = [...(places.get(first - step) ?? []), ...(places.get(last + step) ?? [])]
    if (beside.length > 0) return [...own, ...beside]
  }
  return own.length > 0 ? own : words
}

// Dashes, dots and commas have next to no height: they belong to the line whose letters they stand between.
function isMark({ word }: PlacedWord): boolean {
  return !/[\p{L}\p{N}]/u.test(word.text)
}

function standsInReach(a: PlacedWord, b: PlacedWord): boolean {
  const [mark, text] = isMark(a) ? [a, b] : [b, a]
  const height = text.bottom - text.top
  const middle = (mark.top + mark.bottom) / 2
  return middle > text.top - 0.15 * height && middle < text.bottom + 0.25 * height
}

function bandOf(words: readonly PlacedWord[], inkHeight: number): Band {
  const sorted = words.toSorted((a, b) => centreX(a) - centreX(b))
  const height = Math.max(median(sorted.map(({ top, bottom }) => bottom - top)), 0.8 * inkHeight)
  const segments: PlacedWord[][] = []
  let reach = Number.NEGATIVE_INFINITY
  for (const word of sorted) {
    const current = segments.at(-1)
    if (current === undefined || word.left - reach > widestSpace * height) segments.push([word])
    else current.push(word)
    reach = Math.max(reach, word.right)
  }
  return { segments: segments.map(segmentOf), ...extent(sorted) }
}

export function segmentOf(words: readonly PlacedWord[]): Segment {
  return { words, ...extent(words) }
}

export function extent(parts: readonly Extent[]): Extent {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const part of parts) {
    left = Math.min(left, part.left)
    right = Math.max(right, part.right)
    top = Math.min(top, part.top)
    bottom = Math.max(bottom, part.bottom)
  }
  return { left, right, top, bottom }
}

type Extent = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export function textOf(part: { readonly words: readonly PlacedWord[] }): string {
  return part.words.map(({ word }) => word.text).join(' ')
}
