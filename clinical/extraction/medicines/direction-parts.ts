/** The parts that directions are made of, each with its place: how often, when, by which route, in which form, how long. */
import { matchAt } from '../../terminology/lexicon.ts'
import { sigLexicon, type SigKind } from '../../terminology/sig.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { codeOfWords } from './direction-codes.ts'
import type { Range } from '../found.ts'

export type DirectionPart = Range & {
  readonly kind: SigKind | 'prn'
  readonly code: string
  readonly isAmbiguous: boolean
  /** The code follows from the words; the table of `sig.tsv` knows better where it has them. */
  readonly isReckoned?: boolean
}

const numberWord =
  '(?:\\d{1,2}(?: ?\\((?:one|two|three|four|five|six|eight|ten|twelve)\\))?|one|two|three|four|five|six|eight|ten|twelve)'
const weekday = '(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?\\b'
const meal = '(?:meals?|food|breakfast|lunch|dinner|supper|tea|evening meal|bed(?:time)?|main meal|mealtimes)'
const written: readonly (readonly [SigKind | 'prn', RegExp])[] = [
  [
    'frequency',
    new RegExp(
      `\\b(?:every|each) (?:${numberWord}\\s?)?(?:(?:-|to|or) ?${numberWord})?\\s?(?:hours?|hrs?|h|days?|weeks?|months?|mornings?|nights?|evenings?|(?:other|second|third) (?:day|night|week))\\b`,
      'gi',
    ),
  ],
  [
    'frequency',
    new RegExp(
      `\\b(?:once|twice|thrice|${numberWord} (?:times|x))(?: (?:or|to) (?:twice|\\w+ times))? ?(?:(?:a|per|each|every|/) ?(?:day|week|month|year|night|fortnight)|(?:daily|weekly|monthly|nightly|yearly)\\b)`,
      'gi',
    ),
  ],
  ['frequency', new RegExp(`\\b(?:once|twice|${numberWord} times) only\\b`, 'gi')],
  ['frequency', new RegExp(`(?<=[x×] ?)${numberWord} (?:a|per|each) (?:day|week|month)\\b`, 'gi')],
  ['frequency', /\b\d(?:\/2)?-\d(?:\/2)?-\d(?:\/2)?(?:-\d)?(?=\s|$|[,;.)])/g],
  ['frequency', /\bq ?\d{1,2}(?: ?- ?\d{1,2})? ?(?:h|hrs?|hours?|min(?:utes?)?|days?|weeks?|wks?)\b/gi],
  // A single short day ("Sun", "sat") is a word like any other; several, or one with "on", are days.
  [
    'frequency',
    new RegExp(
      `\\b(?:(?:on|every|each) )?${weekday}(?:\\s?(?:[,/&+-]|,? ?and|to)\\s?${weekday}|\\s${weekday})+|\\b(?:on|every|each) ${weekday}|\\b(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)days?\\b`,
      'gi',
    ),
  ],
  ['frequency', /\b(?:on )?(?:alternate|alternating|other|non-dialysis|dialysis) (?:days?|nights?)\b/gi],
  ['timing', /\b(?:on )?(?:week ?days|week ?ends|weekdays|weekends)\b/gi],
  ['frequency', /\b(?:nightly|daily|weekly|fortnightly|monthly|hourly)\b/gi],
  [
    'prn',
    /\b(?:as|when|if|only when|only if) (?:needed|required|necessary)\b|\b(?:when|whenever|if|as) (?:I|he|she|they|you) (?:need|want|require)s? (?:it|to|them)\b|\b(?:when|whenever|if|as) (?:I|he|she|they|you) (?:need|require)s?\b|\bp\.?r\.?n\b/gi,
  ],
  [
    'timing',
    new RegExp(
      `\\b(?:with|before|after|at|without) (?:or after |each |the |every |your |main |largest )?${meal}\\b`,
      'gi',
    ),
  ],
  ['timing', /(?<=^\s?|(?:units?|tab\w*|cap\w*|puffs?|mL|\d)\s)(?:breakfast|lunch|dinner|tea|supper|bed(?:time)?)\b/gi],
  ['timing', /\b(?:in the|each|every|at) (?:morning|evening|afternoon|night|midday|noon)\b/gi],
  [
    'duration',
    new RegExp(
      `\\b(?:for|x|×) ?(?:the next |another |a further )?${numberWord}(?: ?(?:-|to) ?${numberWord})? ?(?:days?|weeks?|wks?|months?|mths?|/7|/52|/12|d\\b|wk\\b|w\\b)`,
      'gi',
    ),
  ],
  ['duration', /(?<![\d/])\d{1,2} ?\/ ?(?:7|52|12)\b(?!\/)/g],
  ['duration', /\buntil (?:finished|complete[d]?|all taken|review(?:ed)?|gone)\b/gi],
]

export function directionParts(text: string, slice: string, from: number): DirectionPart[] {
  const parts: DirectionPart[] = written.flatMap(([kind, pattern]) =>
    Array.from(slice.matchAll(pattern), (match) => {
      const start = from + match.index
      const code = kind === 'frequency' ? codeOfWords(match[0]) : null
      return {
        kind,
        start,
        end: start + match[0].trimEnd().length,
        code: kind === 'prn' ? 'prn' : (code ?? ''),
        isAmbiguous: false,
        ...(code === null ? {} : { isReckoned: true }),
      }
    }),
  )
  const isForEyes = /\b(?:eyes?|drops?|gtts?|ophth\w*|oint\w*|oc)\b/i.test(slice)
  const tokens = tokenise(slice).map((token) => ({ ...token, start: token.start + from, end: token.end + from }))
  for (let place = 0; place < tokens.length;) {
    const match = matchAt(sigLexicon(), tokens, place)
    const usual = match?.terms.find((candidate) => !candidate.isAmbiguous) ?? match?.terms[0]
    // "1 drop OD": in the right eye, not once a day.
    const term = (isForEyes ? match?.terms.find(({ meaning }) => meaning.code.endsWith('-eye')) : undefined) ?? usual
    if (match && term) {
      const isAlone = term.isAmbiguous && term.meaning.kind === 'frequency' && standsAlone(slice, match, from, parts)
      if (isAlone || isUsable(term.text, term.isAmbiguous, term.meaning.kind)) {
        const kind = term.meaning.code === 'prn' ? 'prn' : term.meaning.kind
        const isAmbiguous = term.isAmbiguous && !isAlone
        parts.push({ kind, start: match.start, end: match.end, code: term.meaning.code, isAmbiguous })
      }
    }
    place = match ? match.to : place + 1
  }
  const sorted = parts.toSorted((a, b) => a.start - b.start)
  return sorted.filter(
    (part) =>
      !part.isAmbiguous || isLong(part) || sorted.some((other) => !other.isAmbiguous && stands(text, other, part)),
  )
}

/** "10mg OM", "40 mg PO ON": nothing before it but the dose and the route, and nothing behind it that it could lead to. */
function standsAlone(slice: string, range: Range, from: number, sooner: readonly DirectionPart[]): boolean {
  const before = slice.slice(0, range.start - from)
  const after = slice.slice(range.end - from)
  const isWholeWord = range.end - range.start > 1
  const isBehindRoute = sooner.some(
    (part) => part.kind === 'route' && /^\s+$/.test(slice.slice(part.end - from, range.start - from)),
  )
  const isBehindDose =
    /^\W*(?:(?:\d[\d./]*|one|two|half)\s*(?:x\s*)?(?:tab|cap|puff|drop|spray|sachet|unit|patch|mL|mg|mcg|g)\w*\s*|TT?\s*)?\W*$/i.test(
      before,
    )
  const isLast =
    /^\s*(?:$|[,;.()[\n\t–|-]|(?:for|x|then|with|until|p\.?r\.?n|and (?:am|pm|om|on|n|nocte)\b|\d+\s?\/|&|\+))/i.test(
      after,
    )
  return isWholeWord && (isBehindRoute || isBehindDose) && isLast
}

/** "bd ac": a short form that means other things as well counts right behind a clear one. */
function stands(text: string, clear: DirectionPart, unclear: DirectionPart): boolean {
  const isTiming = clear.kind === 'frequency' || clear.kind === 'timing'
  return isTiming && clear.end <= unclear.start && /^[\s,]{1,2}$/.test(text.slice(clear.end, unclear.start))
}

function isLong(part: DirectionPart): boolean {
  return part.end - part.start > 2
}

/** Single letters and everyday words ("once", "on", "am") say too little on their own. */
function isUsable(printed: string, isAmbiguous: boolean, kind: SigKind): boolean {
  if (kind === 'quantity') return false
  if (kind === 'duration') return /until|long|ongoing|course|indefinit/.test(printed)
  if (kind === 'timing') return true
  return !isAmbiguous || (printed.length > 2 && kind !== 'status') || /^[A-Z]{2,}$/.test(printed)
}
