/**
 * Looking things up by their place in the text, by halving. Documents have hundreds of pages: a search through all
 * words for each fact takes time with the square of them.
 */
type Extent = { readonly start: number; readonly length: number }
type Range = { readonly start: number; readonly end: number }

/** Where `isBefore` first fails; it must fail for all after one for which it fails. */
export function firstNotBefore<Item>(inOrder: readonly Item[], isBefore: (item: Item) => boolean): number {
  let low = 0
  let high = inOrder.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = inOrder[middle]
    if (item !== undefined && isBefore(item)) low = middle + 1
    else high = middle
  }
  return low
}

/** Words or lines that share a letter with the range; they stand in the order of the text and never overlap. */
export function touchedBy<Item extends Extent>(inOrder: readonly Item[], range: Range): Item[] {
  const from = firstNotBefore(inOrder, (item) => item.start + item.length <= range.start)
  return inOrder.slice(
    from,
    placeAfter(inOrder, from, (item) => item.start < range.end),
  )
}

/** Places that are spoken for, in any order and overlapping as they may. */
export type Cover = { readonly touches: (range: Range) => boolean }

export function coverOf(ranges: readonly Range[]): Cover {
  const joined: { start: number; end: number }[] = []
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end)
    else joined.push({ start, end })
  }
  return {
    touches: (range) => {
      const first = joined[firstNotBefore(joined, (each) => each.end <= range.start)]
      return first !== undefined && first.start < range.end
    },
  }
}

function placeAfter<Item>(inOrder: readonly Item[], from: number, isIn: (item: Item) => boolean): number {
  let place = from
  for (let item = inOrder[place]; item !== undefined && isIn(item); item = inOrder[place]) place += 1
  return place
}
