/** How far the words of a condition or procedure reach: adjectives before it, site or stage behind it. */
import { bodySiteLexicon } from '../../terminology/concepts.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import { severityBefore } from '../conditions/condition-words.ts'
import type { Range } from '../found.ts'
import type { Segment } from './segments.ts'

const stage = /^\s+(?:stage|type|grade|class|NYHA)\s+(?:\d[a-d]?|[IV]{1,3}[a-d]?)\b/i
const siteWord = /^(?:the|his|her|left|right|both|lower|upper|anterior|posterior|proximal|distal|medial|lateral)$/i

export function extendMention(
  text: string,
  segment: Segment,
  match: { from: number; to: number; start: number; end: number },
): Range {
  let from = match.from
  while (from > 0 && severityBefore.test(segment.tokens[from - 1]?.text ?? '') && touches(text, segment, from))
    from -= 1
  const start = segment.tokens[from]?.start ?? match.start
  const staged = stage.exec(text.slice(match.end, match.end + 16))?.[0].length ?? 0
  return { start, end: siteEnd(segment, match.to) ?? match.end + staged }
}

/** "of the left foot", "in the right upper lobe": only where a body site really follows. */
export function siteEnd(segment: Segment, from: number): number | null {
  if (!/^(?:of|in|to|at|over)$/i.test(segment.tokens[from]?.text ?? '')) return null
  let at = from + 1
  while (siteWord.test(segment.tokens[at]?.text ?? '') && at - from < 5) {
    const early = matchAt(bodySiteLexicon(), segment.tokens, at, 'any')
    if (early) return early.end
    at += 1
  }
  return matchAt(bodySiteLexicon(), segment.tokens, at, 'any')?.end ?? null
}

function touches(text: string, segment: Segment, at: number): boolean {
  const [left, right] = [segment.tokens[at - 1], segment.tokens[at]]
  return left !== undefined && right !== undefined && /^[\s-]{0,2}$/.test(text.slice(left.end, right.start))
}
