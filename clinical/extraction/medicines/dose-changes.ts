/** A dose that was changed: what counts is the new one, and the directions that stand with it. */
import type { Range } from '../found.ts'
import { strengthIn, type Strength } from './strength.ts'

export type ChangedDose = {
  /** null: the change is of the quantity or the times alone ("increased to 2 tablets"). */
  readonly strength: Strength | null
  /** Where the new dose stands. */
  readonly start: number
  /** The directions that hold now are read from here. */
  readonly from: number
}

const verb = String.raw`(?:(?:dose|was|been|be|has|is|then|further|gradually|recently|now|since)\s+)*(?:up-?|down-?)?(?:increas|decreas|reduc|chang|titrat|wean|dropp?|cut|lower|rais|adjust|halv|doubl|escalat|step)(?:ed|t|ped|e)?(?:\s+(?:up|down|back))?`
const change = new RegExp(
  String.raw`(?:\b${verb}\b(?:\s+(?:from\s+)?[^.;\n]{0,40}?)?\s+to|\bfrom\s+\d[^.;\n]{0,30}?\s+to|→|➔|⇒|-+>|=>|\bnow(?:\s+on|\s+takes)?)\s*(?:a (?:total )?dose of\s+|dose\s+)?(?=\d|one\b|two\b|half\b)`,
  'giu',
)
/** "Changed perindopril 5 mg to 10 mg daily": the verb stands before the name. */
const changedBefore = /\b(?:chang|increas|decreas|reduc|titrat|adjust|uptitrat)(?:ed|e|ing)?\s+(?:\w+\s+){0,3}$/i
const plainTo = /^[^.;\n]{0,12}?\d[^.;\n]{0,25}?\s+to\s+(?=\d)/
/** What may come: "increase to 1 g bd in 2 weeks if tolerated". */
const meantBefore =
  /\b(?:will|can|may|could|should|would|plan(?:ned)? to|to|then|if|consider|aim(?:ing)?|please|might)\s+(?:be\s+|also\s+)?$/i
const meantAfter =
  /^[^.;\n]{0,40}\b(?:if (?:tolerat|needed|required|not|no)|in (?:\d|one|two|a)\s?(?:\/|week|day|month|fortnight)|after \d|as tolerated|next (?:week|month|visit))/i

export function changedDose(text: string, before: string, from: number, to: number): ChangedDose | null {
  const slice = text.slice(from, to)
  const places = Array.from(slice.matchAll(change), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }))
  const plain = changedBefore.test(before) ? plainTo.exec(slice) : null
  if (places.length === 0 && plain) places.push({ start: 0, end: plain[0].length })
  const last = places.findLast((place) => !isMeant(slice, place))
  if (!last) return null
  const start = from + last.end
  const strength = strengthIn(text, start, Math.min(to, start + 25))
  if (strength && strength.start - start <= 1) return { strength, start, from: strength.end }
  return { strength: unitless(text, from, start, to), start, from: start }
}

function isMeant(slice: string, place: Range): boolean {
  const words = slice.slice(place.start, place.end)
  const isPast = /(?:ed|dropped|cut)\b|→|➔|⇒|->|=>|\bnow\b|^from/i.test(words)
  if (meantBefore.test(slice.slice(0, place.start))) return true
  return !isPast && meantAfter.test(slice.slice(place.end))
}

/** "From 5 to 10 mg" shares its unit; "from 5 mg to 10 daily" does too. */
function unitless(text: string, from: number, start: number, to: number): Strength | null {
  const figure =
    /^\d{1,5}(?:\.\d{1,3})?(?=\s+(?:daily|bd|bid|tds|tid|qid|mane|nocte|once|twice|a day|per day|units?\b|$)|[.,;)]|$)/i.exec(
      text.slice(start, to),
    )
  const old = strengthIn(text, from, start)
  if (!figure || !old) return null
  return { start, end: start + figure[0].length, value: figure[0], unit: old.unit }
}

/** The directions of today's dose end where a taper, a next step or the most that may be taken begins. */
const nextStep =
  /[\s,;(-]*\b(?:then\b|followed by\b|taper(?:ed|ing)?\b|wean(?:ed|ing)?\b|(?:reduc|decreas|increas|titrat|drop)\w*\s+(?:dose\s+)?by\b|(?:reduc|increas|decreas|titrat)(?:e|ing)\b|up-?titrat\w*|down-?titrat\w*)/i
/** "4 tabs daily x 3 days, 3 tabs daily x 3 days": what follows a duration is the next step. */
const afterDuration =
  /(?:\bfor|\bx|×)\s?\d{1,2}\s?(?:days?|weeks?|months?|d\b|\/7|\/52)(?=,\s*\d{1,3}(?:\.\d+)?\s?(?:mg|mcg|g|tab|cap|puff|unit|mL)\w*\b)/i

export function endOfDirections(text: string, from: number, to: number): number {
  const slice = text.slice(from, to)
  const step = nextStep.exec(slice)
  const duration = afterDuration.exec(slice)
  const ends = [step && step.index > 2 ? step.index : null, duration ? duration.index + duration[0].length : null]
  return Math.min(to, ...ends.flatMap((end) => (end === null ? [] : [from + end])))
}
