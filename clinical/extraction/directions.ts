/** The directions of a medicine: quantity, route, how often, when, how long, what for. Every part keeps its place. */
import { matchAt } from '../terminology/lexicon.ts'
import { sigLexicon, type SigKind } from '../terminology/sig.ts'
import { tokenise } from '../terminology/tokens.ts'
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
  readonly status: string | null
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
      `\\b(?:for|x|×) ?(?:the next |another |a further )?${numberWord}(?: ?(?:-|to) ?${numberWord})? ?(?:days?|weeks?|wks?|months?|mths?|/7|/52|/12)`,
      'gi',
    ),
  ],
  ['duration', /\buntil (?:finished|complete[d]?|all taken|review(?:ed)?|gone)\b/gi],
]

const quantity =
  /\b(?:(?:\d{1,3}(?:\.\d+)?|½|¼)(?: ?(?:-|to|or) ?\d{1,3})?|one|two|three|four|half(?: a)?|one and a half|one half|i{1,3}|a)\s?(?:tab(?:let)?s?|cap(?:sule)?s?|puffs?|inhalations?|drops?|sprays?|patch(?:es)?|sachets?|units?|ampoules?|vials?|suppositor(?:y|ies)|lozenges?|applications?|teaspoons?|tablespoons?|mls?|nebules?|wafers?|injections?|pessar(?:y|ies)|iu)\b(?!\s?\/)/i
const purpose =
  /\b(?:for|to (?:help|treat|prevent|control|reduce|manage|lower))\s+(?!\d|the next|a (?:week|month|day)|one |two |three |review|further|another)([\p{L}][\p{L}' /-]{2,45}?)(?=[,.;:()\t\n]|\s\d|$)/iu

export function readDirections(text: string, from: number, to: number): Directions {
  const slice = text.slice(from, to)
  const parts = partsOf(text, slice, from, to)
  const of = (...kinds: readonly DirectionPart['kind'][]) => parts.filter((part) => kinds.includes(part.kind))
  const dose = quantity.exec(slice)
  const clear = of('frequency', 'prn', 'timing', 'duration')
  const reason = purpose.exec(slice)
  return {
    dose: dose ? { start: from + dose.index, end: from + dose.index + dose[0].length } : null,
    route: of('route')[0] ?? null,
    form: of('form')[0] ?? null,
    frequency: of('frequency', 'prn', 'timing').length > 0 ? hull(clear) : null,
    frequencyCode: codeOf(of('frequency'), of('prn').length > 0),
    duration: of('duration')[0] ?? null,
    indication: reason?.[1] ? rangeOfGroup(reason, reason[1], from) : null,
    status: of('status')[0]?.code ?? null,
  }
}

function partsOf(text: string, slice: string, from: number, to: number): DirectionPart[] {
  const parts: DirectionPart[] = written.flatMap(([kind, pattern]) =>
    Array.from(slice.matchAll(pattern), (match) => ({
      kind,
      start: from + match.index,
      end: from + match.index + match[0].trimEnd().length,
      code: kind === 'prn' ? 'prn' : '',
      isAmbiguous: false,
    })),
  )
  const tokens = tokenise(text, from, to)
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

function hull(parts: readonly Range[]): Range | null {
  if (parts.length === 0) return null
  return { start: Math.min(...parts.map((part) => part.start)), end: Math.max(...parts.map((part) => part.end)) }
}

function codeOf(parts: readonly DirectionPart[], isAsNeeded: boolean): string | null {
  const code =
    parts.find((part) => part.code !== '' && !part.isAmbiguous)?.code ?? parts.find((part) => part.code !== '')?.code
  return [code, isAsNeeded ? 'prn' : null].filter(Boolean).join(' ') || null
}

function rangeOfGroup(match: RegExpExecArray, group: string, from: number): Range {
  const start = from + match.index + match[0].length - group.length
  return { start, end: start + group.trimEnd().length }
}
