/** What a file says as data, from words of its pages to places in the text. */
import type { MappedWord } from '../../../clinical/document/mapped.ts'
import type { Page } from '../../../clinical/document/page.ts'
import type { DocumentStructure, PlacedEntry, StructuredEntry } from '../../../clinical/document/structured-entry.ts'

export function placeStructure(pages: readonly Page[], words: readonly MappedWord[]): DocumentStructure | null {
  const entries: PlacedEntry[] = []
  const data: [number, number][] = []
  const byPage = Map.groupBy(words, (word) => word.page)
  for (const page of pages) {
    if (!page.structure) continue
    const places = placesOnPage(page, byPage.get(page.number) ?? [])
    entries.push(...page.structure.entries.map((entry) => placed(entry, places)))
    for (const [from, count] of page.structure.data) data.push(...rangesOf(places, from, count))
  }
  return entries.length + data.length === 0 ? null : { entries, data: data.toSorted((a, b) => a[0] - b[0]) }
}

type Place = { readonly start: number; readonly length: number }

/** Mapping puts words in another order; their boxes stay. A reader that lays words out puts no two in one place. */
function placesOnPage(page: Page, words: readonly MappedWord[]): (Place | undefined)[] {
  const byBox = new Map(words.map((word) => [word.box.join(' '), word]))
  return page.words.map((word) => byBox.get(word.box.join(' ')))
}

function placed({ words, ...stated }: StructuredEntry, places: readonly (Place | undefined)[]): PlacedEntry {
  const spans = words.flatMap(({ role, from, count }) =>
    rangesOf(places, from, count).map(([start, end]) => ({ role, start, length: end - start })),
  )
  return { ...stated, spans }
}

/** Words that stand side by side in the text are one range; those of two lines of a cell are two. */
function rangesOf(places: readonly (Place | undefined)[], from: number, count: number): [number, number][] {
  const ranges: [number, number][] = []
  for (const place of places.slice(from, from + count)) {
    const last = ranges.at(-1)
    if (place === undefined) continue
    if (last !== undefined && place.start === last[1] + 1) last[1] = place.start + place.length
    else ranges.push([place.start, place.start + place.length])
  }
  return ranges
}
