/** Smoking and alcohol as stated. */
import type { FactStatus, FoundFact } from '../document/found-fact.ts'
import { assertionOf, findCues } from './context.ts'
import { foundFact, type Reading } from './found.ts'

const topics: readonly (readonly [RegExp, FactStatus])[] = [
  [
    /\b(?:never (?:smoked|smoker)|non-?smoker|lifelong non-?smoker|does not smoke|no smoking|denies (?:tobacco|smoking)|no tobacco)\b/i,
    'negated',
  ],
  [/\b(?:ex-?smoker|former smoker|quit smoking|stopped smoking|ceased smoking)\b/i, 'historical'],
  [/\b(?:current smoker|smoker|smokes|tobacco use|smoking)\b/i, 'present'],
  [/\b(?:no alcohol|denies alcohol|does not drink|non-?drinker|teetotal(?:ler)?)\b/i, 'negated'],
  [/\b(?:alcohol use|drinks alcohol|alcohol|etoh)\b/i, 'present'],
]

export function findSocialHistory(reading: Reading): FoundFact[] {
  return reading.segments.flatMap((segment) => {
    if (
      segment.kind === 'heading' ||
      /medications|allerg|family|immuni|plan|instruct|follow/.test(segment.role.slug ?? '')
    )
      return []
    const text = reading.document.text.slice(segment.start, segment.end)
    const claimed: { start: number; end: number }[] = []
    return topics.flatMap(([pattern, meant]) => {
      const match = pattern.exec(text)
      if (!match) return []
      const name = { start: segment.start + match.index, end: segment.start + match.index + match[0].length }
      if (claimed.some((range) => Math.abs(range.start - name.start) < 30)) return []
      claimed.push(name)
      const at = {
        from: segment.tokens.findIndex((token) => token.end > name.start),
        to: segment.tokens.filter((token) => token.start < name.end).length,
      }
      const { status } = assertionOf(segment.tokens, findCues(segment.tokens), at)
      if (status === 'family' || status === 'other') return []
      return [
        foundFact(reading.document, {
          type: 'social_history',
          name,
          status: meant === 'present' ? status : meant,
          strength: 'fair',
        }),
      ]
    })
  })
}
