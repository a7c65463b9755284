/** Neighbouring pages, 1-based; `last` null: to the end of the file. */
export type PageRun = { readonly first: number; readonly last: number | null }

/** What is left to read of a file. Pages are saved as they come, so a reading that was interrupted leaves gaps. */
export function missingRuns(saved: readonly number[], pageCount: number | null): PageRun[] {
  const runs: PageRun[] = []
  let first = 1
  for (const number of saved.toSorted((a, b) => a - b)) {
    if (number > first) runs.push({ first, last: number - 1 })
    first = Math.max(first, number + 1)
  }
  if (pageCount === null || first <= pageCount) runs.push({ first, last: null })
  return runs
}

/** Runs are read in order, so what came before the page has been read as well. */
export function runsBehind(runs: readonly PageRun[], number: number): PageRun[] {
  return runs
    .filter(({ last }) => last === null || last > number)
    .map(({ first, last }) => ({ first: Math.max(first, number + 1), last }))
}

/** The first of them, so many pages together. */
export function firstRuns(runs: readonly PageRun[], pages: number): PageRun[] {
  const found: PageRun[] = []
  let left = pages
  for (const { first, last } of runs) {
    if (left === 0) break
    const end = Math.min(last ?? Infinity, first + left - 1)
    found.push({ first, last: end })
    left -= end - first + 1
  }
  return found
}
