/** The directions of a medicine: quantity, route, how often, when, how long, what for. Every part keeps its place. */
import { conditionLexicon } from '../terminology/concepts.ts'
import { findTerms, matchAt } from '../terminology/lexicon.ts'
import { sigLexicon, type SigKind } from '../terminology/sig.ts'
import { tokenise } from '../terminology/tokens.ts'
import { endOfDirections, withoutAsides } from './dose-changes.ts'
import type { Range } from './found.ts'

export type DirectionPart = Range & {
  readonly kind: SigKind | 'prn'
  readonly code: string
  readonly isAmbiguous: boolean
}
export type Directions = {
  readonly dose: Range | null
  readonly route: Range | null
  readonly form: Range | null
  readonly frequency: Range | null
  readonly frequencyCode: string | null
  readonly duration: Range | null
  readonly indication: Range | null
  /** Several doses a day that differ: "1 mane 2 nocte". */
  readonly isVarying: boolean
}

const numberWord = '(?:\\d{1,2}|one|two|three|four|five|six|eight|ten|twelve)'
const written: readonly (readonly [SigKind | 'prn', RegExp])[] = [
  [
    'frequency',
    new RegExp(
      `\\b(?:every|each) ${numberWord}?\\s?(?:(?:-|to|or) ?${numberWord})?\\s?(?:hours?|hrs?|h|days?|weeks?|months?|mornings?|nights?|evenings?|other day|second day)\\b`,
      'gi',
    ),
  ],
  [
    'frequency',
    new RegExp(
      `\\b(?:once|twice|thrice|${numberWord} (?:times|x))(?: or (?:twice|\\w+ times))? ?(?:a|per|each|every|/) ?(?:day|week|month|year|night|fortnight)\\b`,
      'gi',
    ),
  ],
  [
    'frequency',
    new RegExp(`\\b(?:once|twice|${numberWord} times) (?:daily|weekly|monthly|nightly|yearly|only)\\b`, 'gi'),
  ],
  ['frequency', /\b\d(?:\/2)?-\d(?:\/2)?-\d(?:\/2)?(?:-\d)?(?=\s|$|[,;.)])/g],
  ['frequency', /\bq ?\d{1,2}(?: ?- ?\d{1,2})? ?(?:h|hrs?|hours?)\b/gi],
  [
    'frequency',
    /\b(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?:(?:,| and|,? &) (?:mon|tues|wednes|thurs|fri|satur|sun)days?)*\b/gi,
  ],
  ['frequency', /\b(?:nightly|daily|weekly|fortnightly|monthly|hourly)\b/gi],
  ['prn', /\b(?:as|when|if|only when|only if) (?:needed|required|necessary)\b|\bp\.?r\.?n\b/gi],
  [
    'timing',
    /\b(?:with|before|after|at|without) (?:or after |each |the |every |your )?(?:meals?|food|breakfast|lunch|dinner|evening meal|bed(?:time)?|main meal|mealtimes)\b/gi,
  ],
  ['timing', /\b(?:in the|each|every|at) (?:morning|evening|afternoon|night|midday|noon)\b/gi],
  [
    'duration',
    new RegExp(
      `\\b(?:for|x|×) ?(?:the next |another |a further )?${numberWord}(?: ?(?:-|to) ?${numberWord})? ?(?:days?|weeks?|wks?|months?|mths?|/7|/52|/12|d\\b|wk\\b|w\\b)`,
      'gi',
    ),
  ],
  ['duration', /\buntil (?:finished|complete[d]?|all taken|review(?:ed)?|gone)\b/gi],
]

const quantity =
  /(?<![\d./])\b(?:(?:(?:\d{1,2}[ -])?[1-3]\/[2-4]|\d{1,3}(?:\.\d+)?|½|¼)(?: ?(?:-|to|or) ?\d{1,3})?|one|two|three|four|half(?: a)?|one and a half|one half|i{1,3}|a)\s?(?:tab(?:let)?s?|cap(?:sule)?s?|puffs?|inhalations?|drops?|sprays?|patch(?:es)?|sachets?|units?|ampoules?|vials?|suppositor(?:y|ies)|lozenges?|applications?|teaspoons?|tablespoons?|mls?|nebules?|wafers?|injections?|pessar(?:y|ies)|gtts?|actuations?|pumps?|scoops?|films?|enemas?|iu)\b(?!\s?\/)/i
const purpose =
  /\b(?:for|to (?:help|treat|prevent|control|reduce|manage|lower))\s+(?!\d|the next|a (?:week|month|day)|one |two |three |review|further|another|years?\b|months?\b|weeks?\b|days?\b|life\b|now\b|many|several|at least|over |about|approximately|up to|follow|the (?:past|last|first|time)|(?:a|some) (?:while|time)|long)([\p{L}][\p{L}' /-]{2,45}?)(?=[,.;:()\t\n]|\s\d|$)/iu

/** "2 tds", "ii bd", "1 mane": a bare count right before the time. */
const counted =
  /(?<![\d./x×-])(?:\d{1,2}(?:\.5)?|½|1½|i{1,3}|one|two|three|half)\s+(?=(?:po|p\.o\.|orally|by mouth|sl|mane|nocte|midi|midday|noon|bd|b\.d\.|bid|tds|t\.d\.s\.|tid|qid|qds|daily|nightly|weekly|once|twice|three times|at night|in the morning|every|each|q\d|qhs|qam|prn|om|am|pm|stat)\b)/gi
/** "PRN chest pain" */
const asNeededFor =
  /\b(?:p\.?r\.?n\.?|(?:as|when|if) (?:needed|required))\s+(?!(?:max|maximum|up|for|daily|if|when|then|and|or|only|at|in|with|disp|qty|refills?|no)\b|#)(\p{L}[\p{L}' /-]{2,30}?)(?=[,.;:()\t\n]|\s\d|$)/iu

export function readDirections(text: string, from: number, to: number): Directions {
  const slice = withoutAsides(text.slice(from, endOfDirections(text, from, to)))
  const parts = partsOf(text, slice, from)
  const of = (...kinds: readonly DirectionPart['kind'][]) => parts.filter((part) => kinds.includes(part.kind))
  const counts = countsIn(slice, from)
  const isVarying = new Set(counts.map(({ start, end }) => text.slice(start, end).toLowerCase())).size > 1
  const dose = quantity.exec(slice)
  const measured = dose ? { start: from + dose.index, end: from + dose.index + dose[0].length } : null
  const clear = [...of('frequency', 'prn', 'timing', 'duration'), ...(isVarying ? counts : [])]
  const reason = purpose.exec(slice) ?? symptomIn(slice)
  return {
    dose: measured ?? (isVarying ? null : (counts[0] ?? null)),
    isVarying: isVarying && measured === null,
    route: of('route')[0] ?? null,
    form: of('form')[0] ?? null,
    frequency: of('frequency', 'prn', 'timing').length > 0 ? closed(text, hull(clear)) : null,
    frequencyCode: codeOf(of('frequency'), of('prn').length > 0),
    duration: of('duration')[0] ?? null,
    indication: reason?.[1] ? rangeOfGroup(reason, reason[1], from) : null,
  }
}

function partsOf(text: string, slice: string, from: number): DirectionPart[] {
  const parts: DirectionPart[] = written.flatMap(([kind, pattern]) =>
    Array.from(slice.matchAll(pattern), (match) => ({
      kind,
      start: from + match.index,
      end: from + match.index + match[0].trimEnd().length,
      code: kind === 'prn' ? 'prn' : '',
      isAmbiguous: false,
    })),
  )
  const tokens = tokenise(slice).map((token) => ({ ...token, start: token.start + from, end: token.end + from }))
  for (let place = 0; place < tokens.length;) {
    const match = matchAt(sigLexicon(), tokens, place)
    const term = match?.terms.find((candidate) => !candidate.isAmbiguous) ?? match?.terms[0]
    if (match && term && isUsable(term.text, term.isAmbiguous, term.meaning.kind)) {
      const kind = term.meaning.code === 'prn' ? 'prn' : term.meaning.kind
      parts.push({ kind, start: match.start, end: match.end, code: term.meaning.code, isAmbiguous: term.isAmbiguous })
    }
    place = match ? match.to : place + 1
  }
  const sorted = parts.toSorted((a, b) => a.start - b.start)
  return sorted.filter(
    (part) =>
      !part.isAmbiguous || isLong(part) || sorted.some((other) => !other.isAmbiguous && stands(text, other, part)),
  )
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

function countsIn(slice: string, from: number): Range[] {
  return Array.from(slice.matchAll(counted), (match) => ({
    start: from + match.index,
    end: from + match.index + match[0].trimEnd().length,
  }))
}

/** What stands behind "prn" is a reason only where it is a complaint that the tables know. */
function symptomIn(slice: string): RegExpExecArray | null {
  const match = asNeededFor.exec(slice)
  const known = match?.[1] ? findTerms(conditionLexicon(), tokenise(match[1]))[0] : undefined
  return known?.from === 0 ? match : null
}

function hull(parts: readonly Range[]): Range | null {
  if (parts.length === 0) return null
  return { start: Math.min(...parts.map((part) => part.start)), end: Math.max(...parts.map((part) => part.end)) }
}

/** "once a week (Mondays)": a bracket that was opened is closed. */
function closed(text: string, range: Range | null): Range | null {
  if (!range) return null
  const words = text.slice(range.start, range.end)
  const isOpen = words.lastIndexOf('(') > words.lastIndexOf(')')
  return isOpen && text[range.end] === ')' ? { start: range.start, end: range.end + 1 } : range
}

function codeOf(parts: readonly DirectionPart[], isAsNeeded: boolean): string | null {
  const times = new Set(
    parts.flatMap(({ code }) => (/^1\/d (?:morning|midday|evening|night)$/.test(code) ? [code] : [])),
  )
  const isSeveral = times.size > 1 && parts.every(({ code }) => code === '' || times.has(code))
  const code = isSeveral
    ? `${times.size}/d`
    : (parts.find((part) => part.code !== '' && !part.isAmbiguous)?.code ??
      parts.find((part) => part.code !== '')?.code)
  return [code, isAsNeeded ? 'prn' : null].filter(Boolean).join(' ') || null
}

function rangeOfGroup(match: RegExpExecArray, group: string, from: number): Range {
  const start = from + match.index + match[0].length - group.length
  return { start, end: start + group.trimEnd().length }
}
