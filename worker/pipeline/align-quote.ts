/**
 * Finds a model's quote in the text. Its offsets are never asked for: exact words first, then the run of words that
 * shares most of them in order. What shares too little, or is spread too thin, is not a quote.
 */
export type AlignedRange = { readonly start: number; readonly end: number; readonly exactness: 'exact' | 'fuzzy' }

type Token = { readonly key: string; readonly start: number; readonly end: number }

/** Three quarters of the quote's words must be there, and at least a third of the words that the run covers. */
const leastShare01 = 0.75
const leastDensity01 = 1 / 3

export function alignQuote(text: string, quote: string, from: number, to: number): AlignedRange | null {
  const wanted = tokensOf(quote, 0, quote.length)
  const printed = tokensOf(text, from, to)
  if (wanted.length === 0 || printed.length === 0) return null
  return alignExactly(printed, wanted) ?? alignFuzzily(printed, wanted)
}

function alignExactly(printed: readonly Token[], wanted: readonly Token[]): AlignedRange | null {
  for (let place = 0; place + wanted.length <= printed.length; place += 1) {
    const isHere = wanted.every((token, offset) => token.key === printed[place + offset]?.key)
    if (isHere) return rangeOf(printed, place, place + wanted.length - 1, 'exact')
  }
  return null
}

function alignFuzzily(printed: readonly Token[], wanted: readonly Token[]): AlignedRange | null {
  // One word that is not there exactly is somewhere else or nowhere.
  if (wanted.length < 2) return null
  const keys = new Set(wanted.map((token) => token.key))
  const widest = Math.floor(wanted.length / leastDensity01)
  let best: { shared: number; first: number; last: number } | null = null
  for (let place = 0; place < printed.length; place += 1) {
    if (!keys.has(printed[place]?.key ?? '')) continue
    const run = sharedInOrder(printed, place, widest, wanted)
    const isBetter =
      best === null || run.shared > best.shared || (run.shared === best.shared && width(run) < width(best))
    if (isBetter) best = run
  }
  if (best === null || best.shared < leastShare01 * wanted.length) return null
  if (best.shared < leastDensity01 * (width(best) + 1)) return null
  return rangeOf(printed, best.first, best.last, 'fuzzy')
}

const width = (run: { readonly first: number; readonly last: number }) => run.last - run.first

/** Greedy from the left: linear in the window, which is enough for quotes of a line or two. */
function sharedInOrder(printed: readonly Token[], from: number, widest: number, wanted: readonly Token[]) {
  let next = 0
  let shared = 0
  let last = from
  for (let place = from; place < Math.min(printed.length, from + widest); place += 1) {
    const key = printed[place]?.key
    const found = wanted.findIndex((token, index) => index >= next && token.key === key)
    if (found < 0 || found > next + 2) continue
    next = found + 1
    shared += 1
    last = place
  }
  return { shared, first: from, last }
}

function rangeOf(
  printed: readonly Token[],
  first: number,
  last: number,
  exactness: AlignedRange['exactness'],
): AlignedRange | null {
  const [start, end] = [printed[first]?.start, printed[last]?.end]
  return start === undefined || end === undefined ? null : { start, end, exactness }
}

/** Letters and figures in runs, every other sign alone: spaces and line ends do not matter, decimal points do. */
function tokensOf(text: string, from: number, to: number): Token[] {
  return Array.from(text.slice(from, to).matchAll(/[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]/gu), (match) => ({
    key: match[0].normalize('NFKC').toLowerCase(),
    start: from + match.index,
    end: from + match.index + match[0].length,
  }))
}
