/** Which words of a page belong to which entry, and which are data at all. */
import type { SpanRole } from '../../../../clinical/document/found-fact.ts'
import type {
  PageStructure,
  StatedFact,
  StructuredEntry,
  WordRun,
} from '../../../../clinical/document/structured-entry.ts'
import type { SetWord } from './set-words.ts'

/** An entry belongs to the page that its name stands on; parts of it on the next page have their words there alone. */
export function structureOf(entries: readonly StatedFact[], words: readonly SetWord[]): PageStructure | null {
  const data: [number, number][] = []
  const runs = new Map<number, WordRun[]>()
  words.forEach((word, index) => {
    if (word.data === undefined) return
    const last = data.at(-1)
    if (last !== undefined && last[0] + last[1] === index) last[1] += 1
    else data.push([index, 1])
    if (word.data !== 'label') addWord(runs, word.data, index)
  })
  if (data.length === 0) return null
  return { data, entries: [...runs].flatMap(([place, ofEntry]) => entryWith(entries[place], ofEntry)) }
}

function addWord(runs: Map<number, WordRun[]>, of: { entry: number; role: SpanRole }, index: number): void {
  const known = runs.get(of.entry) ?? []
  const last = known.at(-1)
  if (last !== undefined && last.role === of.role && last.from + last.count === index)
    known.splice(-1, 1, { ...last, count: last.count + 1 })
  else known.push({ role: of.role, from: index, count: 1 })
  runs.set(of.entry, known)
}

function entryWith(entry: StatedFact | undefined, words: readonly WordRun[]): StructuredEntry[] {
  return entry === undefined || !words.some(({ role }) => role === 'name') ? [] : [{ ...entry, words }]
}
