/** What stands among directions without being the dose: the most that may be taken, how much was supplied, one day alone. */
import type { Range } from '../found.ts'

const amountWord = '(?:tab|cap|dose|puff|spray|drop|sachet|patch|unit|times|per\\b|in\\b|a day|mg|mcg|g\\b|gram|mL)'
const most = new RegExp(
  String.raw`[\s,;(\[–-]*\b(?:max(?:imum)?\b\.?|no more than|(?:do )?not (?:to )?(?:exceed|take more than)|not more than|never more than|limit(?: of| to)|up to (?=\d+(?:\.\d+)? ?${amountWord}))[^,;.)\]\n\t]*(?:[.,]\d[^,;.)\]\n\t]*)*`,
  'giu',
)
const supplied =
  /(?:\b(?:qty|quantity|disp(?:ense(?:d)?)?|supply|supplied|mitte|pack(?: ?size)?|issued?|remaining|sent)\b[\s:.=#]*|(?<!\w)#\s?)\d{1,4}(?:\s?[x×]\s?\d{1,4})?(?:\s?(?:tab|cap|sachet|patch|g|mL|dose|vial|pen)\w*)?|\b\d{1,4}\s(?:tab|cap|sachet|patch)\w*\s(?:supplied|dispensed|provided|given out)\b/gi
const oneDay = /\b(?:this (?:morning|evening|afternoon)|last night|tonight|yesterday (?:morning|evening)?)\b/gi

/** The text with "max 8 tablets in 24 hours", "Qty: 60" and "this morning" blanked out; every offset stays. */
export function withoutAsides(slice: string): string {
  return slice.replace(most, blank).replace(supplied, blank).replace(oneDay, blank)
}

/** "Max 8 tablets in 24 hours", where directions go on to say so. */
export function limitsIn(text: string, from: number, to: number): Range[] {
  return Array.from(text.slice(from, to).matchAll(most), (match) => {
    const printed = match[0].trimEnd()
    const start = from + match.index + (/^[\s,;([–-]*/.exec(printed)?.[0].length ?? 0)
    return { start, end: from + match.index + printed.length }
  })
}

const blank = (words: string) => ' '.repeat(words.length)
