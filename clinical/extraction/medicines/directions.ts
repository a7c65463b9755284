/** The directions of a medicine: quantity, route, how often, when, how long, what for. Every part keeps its place. */
import { conditionLexicon } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { directionParts, type DirectionPart } from './direction-parts.ts'
import { limitsIn, withoutAsides } from './direction-limits.ts'
import { endOfDirections } from './dose-changes.ts'
import { stepsBehind } from './dose-steps.ts'
import type { Range } from '../found.ts'

export type Directions = {
  readonly dose: Range | null
  readonly route: Range | null
  readonly form: Range | null
  /** With what the same instruction goes on to say: the next doses of a taper, the most that may be taken. */
  readonly frequency: Range | null
  /** Of the first step of a taper; null where doses differ from day to day. */
  readonly frequencyCode: string | null
  readonly duration: Range | null
  readonly indication: Range | null
  /** Several doses a day or week that differ: "1 mane 2 nocte". */
  readonly isVarying: boolean
}

const countWord = 'one|two|three|four|half(?: a)?|one and a half|one half'
const holder =
  'tab(?:let)?s?|cap(?:sule)?s?|puffs?|inhalations?|drops?|sprays?|patch(?:es)?|sachets?|units?|ampoules?|vials?|suppositor(?:y|ies)|lozenges?|applications?|teaspoons?|tablespoons?|mls?|nebules?|wafers?|injections?|pessar(?:y|ies)|gtts?|actuations?|pumps?|scoops?|films?|enemas?|iu|cm(?: ribbon)?'
const quantity = new RegExp(
  String.raw`(?<![\d./])\b(?:(?:(?:\d{1,2}[ -])?[1-3]\/[2-4]|\d{1,3}(?:\.\d+)?(?: ?\((?:${countWord})\))?|½|¼)(?: ?(?:-|to|or) ?\d{1,3})?|(?:${countWord})(?: (?:or|to) (?:${countWord}))?|i{1,3}|a)\s?(?:${holder})\b(?!\s?\/)`,
  'gi',
)
/** "Take 40 mg": an amount that somebody is told to take is the dose, whatever the tablet holds. */
const told = /(?<=\b(?:take|give|inject|have)\s)\d{1,4}(?:\.\d{1,3})?\s?(?:mg|mcg|microgram\w*|g|units?|mL)\b/gi
/** "2 tds", "ii bd", "1 mane", "One To Be Taken Each Day": a bare count right before the time. */
const counted =
  /(?<![\d./×-]|[x×]\s?)(?<=^|[\s(,;:=])(?:\d{1,2}(?:\.5)?(?: ?(?:-|to|or) ?\d)?|½|1½|i{1,3}|(?:one|two|three|four)(?: (?:or|to) (?:two|three|four))?|half|TT?)\s+(?=(?:to be (?:taken|used|given)|up to|po|p\.o\.|orally|by mouth|sl|mane|nocte|midi|midday|noon|bd|b\.d\.|bid|tds|t\.d\.s\.|tid|qid|qds|daily|nightly|weekly|once|twice|three times|four times|at night|in the morning|every|each|q\d|qhs|qam|prn|om|am|pm|stat|(?:when|if|as) (?:needed|required|necessary|I)|(?:with|before|after) (?:food|meals|breakfast|lunch|dinner))\b)/gi
const purpose =
  /\b(?:for|to (?:help|treat|prevent|control|reduce|manage|lower))\s+(?!\d|the next|a (?:week|month|day)|one |two |three |review|further|another|years?\b|months?\b|weeks?\b|days?\b|life\b|now\b|many|several|at least|over |about|approximately|up to|follow|the (?:past|last|first|time)|(?:a|some) (?:while|time)|long)([\p{L}][\p{L}' /-]{2,45}?)(?=[,.;:()[\]#\t\n]|\s\d|\s[-–]\s|$)/iu
/** "PRN chest pain" */
const asNeededFor =
  /\b(?:p\.?r\.?n\.?|(?:as|when|if) (?:needed|required))\s+(?!(?:max|maximum|up|for|daily|if|when|then|and|or|only|at|in|with|disp|qty|refills?|no|not|never)\b|#)(\p{L}[\p{L}' /-]{1,30}?)(?=[,.;:()[\]#\t\n]|\s\d|\s[-–]\s|$)/iu

export function readDirections(text: string, from: number, to: number): Directions {
  const slice = withoutAsides(text.slice(from, endOfDirections(text, from, to)))
  const parts = directionParts(text, slice, from)
  const of = (...kinds: readonly DirectionPart['kind'][]) => parts.filter((part) => kinds.includes(part.kind))
  const times = of('frequency', 'prn', 'timing')
  const counts = rangesOf(counted, slice, from)
  const areCountsVarying = new Set(counts.map(({ start, end }) => text.slice(start, end).toLowerCase())).size > 1
  const dose = doseAmong(slice, from, counts, times[0] ?? null, areCountsVarying)
  const clear = [...times, ...of('duration'), ...(areCountsVarying ? counts : [])]
  const first = times.length > 0 ? closed(text, hull(text, clear)) : null
  const steps = stepsOf(text, first, of('duration')[0] ?? null, to)
  // "2 tablets mane, 1 tablet nocte": of doses that differ each stands with its time.
  const opening = steps?.kind === 'varying' && dose && dose.end <= steps.start ? dose : steps
  const whole = withLimit(text, steps && opening ? { start: opening.start, end: steps.end } : first, to)
  const reason = purpose.exec(slice) ?? symptomIn(slice)
  const isVarying = (areCountsVarying && dose === null) || steps?.kind === 'varying'
  return {
    dose: steps?.kind === 'varying' ? null : dose,
    isVarying,
    route: of('route')[0] ?? null,
    form: of('form')[0] ?? null,
    frequency: whole,
    frequencyCode: steps?.kind === 'varying' ? null : codeOf(of('frequency'), of('prn').length > 0),
    duration: of('duration')[0] ?? null,
    indication: reason?.[1] ? rangeOfGroup(reason, reason[1], from) : null,
  }
}

/** What stands first is taken; behind the times stands what was supplied, or the next dose. */
function doseAmong(
  slice: string,
  from: number,
  counts: readonly Range[],
  time: Range | null,
  isVarying: boolean,
): Range | null {
  const named = [...rangesOf(told, slice, from), ...rangesOf(quantity, slice, from)].filter(
    ({ start }) => time === null || start < time.start || isAside(slice.slice(0, start - from)),
  )
  const all = [...named, ...(isVarying ? [] : counts)]
  return all.toSorted((a, b) => a.start - b.start)[0] ?? null
}

/** "bd (2 tabs)", "daily: 1 tablet" say the dose behind the time; "- 56 capsule" says what was supplied. */
const isAside = (before: string) => /[(,:]\s*$|\b(?:take|inhale|inject|apply|instil|use|put|give)\s+$/i.test(before)

function stepsOf(
  text: string,
  first: Range | null,
  duration: Range | null,
  to: number,
): (Range & { readonly kind: 'taper' | 'varying' }) | null {
  const start = first ?? duration
  if (!start) return null
  const steps = stepsBehind(text, start.end, to)
  return (
    steps && { start: start.start, end: closed(text, { start: start.start, end: steps.end }).end, kind: steps.kind }
  )
}

/** "q6h prn, max 8 tablets in 24 hours": the limit belongs to the instruction, with a reason or nothing between. */
function withLimit(text: string, frequency: Range | null, to: number): Range | null {
  if (!frequency) return null
  const limit = limitsIn(text, frequency.end, Math.min(to, frequency.end + 120)).find(
    ({ start }) => start - frequency.end < 45,
  )
  const between = limit ? text.slice(frequency.end, limit.start) : ''
  if (!limit || /\n\n|\t|\.\s+\p{Lu}(?!ax)/u.test(between)) return frequency
  return closed(text, { start: frequency.start, end: limit.end })
}

function rangesOf(pattern: RegExp, slice: string, from: number): Range[] {
  return Array.from(slice.matchAll(pattern), (match) => ({
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

/** From the first part to the last that follows it within a few words. */
function hull(text: string, parts: readonly Range[]): Range {
  const [first, ...others] = parts.toSorted((a, b) => a.start - b.start)
  let { start = 0, end = 0 } = first ?? {}
  for (const part of others) {
    const between = text.slice(end, part.start)
    // What stands behind another amount is about that one.
    if (/\s[-–]\s|[\n\t;]|.{45}/.test(between) || amount.test(between)) break
    end = Math.max(end, part.end)
  }
  return { start, end }
}

const amount = new RegExp(String.raw`\d\s?(?:mg|mcg|microgram\w*|g|units?|${holder})\b`, 'i')

/** "once a week (Mondays)": a bracket that was opened is closed. */
function closed(text: string, range: Range): Range {
  const words = text.slice(range.start, range.end)
  const isOpen = words.lastIndexOf('(') > words.lastIndexOf(')')
  return isOpen && text[range.end] === ')' ? { start: range.start, end: range.end + 1 } : range
}

function codeOf(parts: readonly DirectionPart[], isAsNeeded: boolean): string | null {
  const times = new Set(
    parts.flatMap(({ code }) => (/^1\/d (?:morning|midday|evening|night)$/.test(code) ? [code] : [])),
  )
  const isSeveral = times.size > 1 && parts.every(({ code }) => code === '' || times.has(code))
  const known = parts.filter(({ code }) => code !== '')
  const code = isSeveral
    ? `${times.size}/d`
    : (known.find((part) => !part.isAmbiguous && !part.isReckoned) ?? known.find((part) => part.isReckoned) ?? known[0])
        ?.code
  return [code, isAsNeeded ? 'prn' : null].filter(Boolean).join(' ') || null
}

function rangeOfGroup(match: RegExpExecArray, group: string, from: number): Range {
  const start = from + match.index + match[0].length - group.length
  return { start, end: start + group.trimEnd().length }
}
