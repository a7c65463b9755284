/** Directions that go on to another dose: tapers ("then 25 mg daily for 3 days, then cease") and doses that differ by day or hour. */

const amount = String.raw`(?:\d{1,4}(?:\.\d{1,3})?|half|one|two|three|½)\s?(?:mg|mcg|microgram\w*|microg|g|units?|IU|mL|tab\w*|cap\w*|puffs?|drops?|sprays?)(?!\p{L})(?!\s?\/)`
const ending = String.raw`[^.,;()\[\]\n\t]{0,45}?(?=\s*(?:[,;()\n\t]|\.(?!\d)|\bthen\b|\b(?:and|alternat\w+ with)\s+\d|\bfollowed\b|$))`
const when = new RegExp(
  String.raw`\b(?:daily|day|days|bd|bid|tds|tid|qid|mane|nocte|midi|morning|night|evening|noon|midday|lunch\w*|dinner|breakfast|tea|supper|bed\w*|weeks?|weekly|weekends?|weekdays?|months?|mon|tues?|wed|thu\w*|fri|sat|sun|q\w{1,4}|am|pm|om|on|hours?|hourly)\b|\/(?:7|52|12)|\b[x×] ?\d+ ?d`,
  'i',
)
const sequence =
  /\b(?:then|thereafter|followed|reduc\w*|decreas\w*|wean\w*|taper\w*|drop\w*|titrat\w*|down|step\w*)\b|\/(?:7|52|12)\b|\b(?:for|[x×]) ?\d+ ?(?:d|w|\/)/i
const nextDose = new RegExp(
  String.raw`^[\s,;(]{0,3}(?:(?:and|&|\+|\/|then|followed by|alternat\w+ with|thereafter|(?:reduc|decreas)\w+ to|down to)\s+){0,3}(?:take |give )?(${amount})(${ending})`,
  'iu',
)
/** What is only said once there is a dose before it. */
const taperEnd = new RegExp(
  String.raw`^[\s,;(–-]{0,3}(?:(?:and|then)\s+)*(?:(?:stop|cease|discontinue|off|review)(?:ed)?\b(?:\s+after\s+[^.,;()\n]{0,20})?|(?:taper|wean|reduc|decreas|titrat|drop)\w*\s+(?:(?:the |dose |down |slowly |gradually )*)(?:by\s+(?:${amount}|\d+)${ending}|over\s+\d+\s\w+|as directed|as tolerated))`,
  'iu',
)

export type Steps = { readonly end: number; readonly kind: 'taper' | 'varying' }

/** Where the whole instruction ends, from the end of its first step on; null where it has only one. */
export function stepsBehind(text: string, from: number, to: number): Steps | null {
  let end = from
  for (let next = stepAt(text, end, to, end > from); next !== null; next = stepAt(text, end, to, true)) end = next
  const isDoseNext = end > from
  const last = taperEnd.exec(text.slice(end, to))
  if (last && (isDoseNext || /\bthen\b|\bby\b|\bover\b/i.test(last[0]))) end += last[0].trimEnd().length
  if (end === from) return null
  return { end, kind: sequence.test(text.slice(from, end)) ? 'taper' : 'varying' }
}

function stepAt(text: string, from: number, to: number, isFurther: boolean): number | null {
  const match = nextDose.exec(text.slice(from, to))
  if (!match || match[0].trim() === '') return null
  const rest = match[2] ?? ''
  const lead = match[0].slice(0, match[0].length - rest.length - (match[1]?.length ?? 0))
  // "20 units mane 10 units nocte" needs no word between; "prn 2 puffs" is the dose of the same step.
  const isBare = lead.trim() === ''
  if (isBare && !/(?:mg|mcg|units?|IU)$/i.test(match[1] ?? '')) return null
  if (!when.test(rest) && !(isFurther && /^\s*$/.test(rest))) return null
  return from + match[0].trimEnd().length
}
