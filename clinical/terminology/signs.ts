/** Signs of a physical examination, as notes word them; the longest wording that stands somewhere is the sign. */
import { once, readTable, splitList } from './read-table.ts'

export type SignMatch = {
  readonly start: number
  readonly end: number
  /** "Chest clear" states a normal finding by itself, "crackles" one that may be denied. */
  readonly kind: 'normal' | 'abnormal'
}

export function findSigns(text: string, from: number, to: number): SignMatch[] {
  const { pattern, kinds } = signs()
  return Array.from(text.slice(from, to).matchAll(pattern), (match) => ({
    start: from + match.index,
    end: from + match.index + match[0].length,
    kind: kinds.get(keyOf(match[0])) ?? 'abnormal',
  }))
}

const keyOf = (printed: string) =>
  printed
    .toLowerCase()
    .replace(/[\s:,–-]+/g, ' ')
    .replace(/’/g, "'")
    .replace(/ (?:is|are|was|were|remains) /g, ' ')

/** "Abdomen: soft, non tender" and "abdomen is soft, non-tender" are one wording. */
const signs = once(() => {
  const wordings = readTable('signs', ['sign', 'kind', 'synonyms']).flatMap((row) =>
    [row.sign, ...splitList(row.synonyms)].map((words) => ({
      words,
      kind: row.kind === 'normal' ? ('normal' as const) : ('abnormal' as const),
    })),
  )
  const sources = wordings
    .toSorted((a, b) => b.words.length - a.words.length)
    .map(({ words }) =>
      words
        .split(/[\s,-]+/)
        .map(escaped)
        .join('[\\s:,–-]+(?:(?:is|are|was|were|remains)\\s+)?'),
    )
  return {
    pattern: new RegExp(`(?<![\\p{L}\\d])(?:${sources.join('|')})(?![\\p{L}\\d])`, 'giu'),
    kinds: new Map(wordings.map(({ words, kind }) => [keyOf(words), kind])),
  }
})

const escaped = (word: string) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/'/g, "['’]")
