/** The statement that there are no allergies, of any kind or of one, and the exceptions that it makes. */
import type { FoundFact } from '../../document/found-fact.ts'
import { findAllergyWords, isOnly } from '../../terminology/allergy-words.ts'
import { cueLexicon } from '../../terminology/cues.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { allergenItems, deniedAllergy, substanceIn } from './allergy-fact.ts'
import { foundFact, type Range, type Reading } from '../found.ts'

export type Denial = {
  /** The general denial, or the substances that alone are denied. */
  readonly facts: readonly FoundFact[]
  /** The words that the denial takes up. */
  readonly range: Range
  /** "NKDA except peanuts": where the exceptions stand. */
  readonly exceptions: Range | null
}

const kindWords = String.raw`(?:(?:known|significant|documented|reported|recorded|other|true|drug|food|medication|medicine|environmental|seasonal|new|current|previous|history of|and|or|any|\/)[\s/]+)*`
const denied = new RegExp(
  String.raw`\b(?:no|nil|none|denies|denied|without|not aware of|(?:does|did) not have)\s+(?:any\s+|known\s+|a history of\s+|hx of\s+)*${kindWords}(?:allerg(?:y|ies)|intoleranc(?:e|es)|sensitivit(?:y|ies)|adverse (?:drug )?reactions?|ADRs?)\b(?:\s+known)?|\bnot (?:known to be )?(?:allergic|intolerant)(?=\s+(?:to|of)\s+(?:any|drugs?\b|medic|foods?\b))|\ballergic to (?:nothing|none)\b`,
  'i',
)
const inSection =
  /^(?:(?:the )?(?:patient|pt|he|she)\s+)?(?:nil|none|no|neg(?:ative)?|denie[sd]|0)(?:\s+(?:known|significant|any|allergies|(?:drug|food|medication)(?: or (?:drug|food))? allergies|known (?:drug |food )?allergies|adverse reactions|reported|recorded allergies|at present|currently))*\.?$/i
const toKinds = /^\s*(?:to|of|for|re)\s+([^.;()\n]{3,40}?)(?=[.;()\n,]|$)/i

export function readDenial(reading: Reading, range: Range, where: 'section' | 'anywhere'): Denial | null {
  const text = reading.document.text
  const printed = text.slice(range.start, range.end)
  if (!/\b(?:no|nil|none|nk|deni|not|without|neg|allergic|0)/i.test(printed)) return null
  const stated = deniedWords(reading, range) ?? (where === 'section' ? plainDenial(text, range) : null)
  if (!stated) return null
  const after = text.slice(stated.end, range.end)
  const object = toKinds.exec(after)
  if (object?.[1] !== undefined) {
    const start = stated.end + object[0].length - object[1].length
    const named = allergenItems(text, start, start + object[1].length).filter(
      (item) => substanceIn(text.slice(item.start, item.end)) !== null,
    )
    const end = start + object[1].length
    if (named.length > 0)
      return {
        facts: named.map((item) => deniedAllergy(reading, item)),
        range: { start: stated.start, end },
        exceptions: null,
      }
    if (isOnly(object[1], 'drug', 'food', 'environment', 'anything'))
      return general(reading, { start: stated.start, end }, range)
    // "No intolerance to exercise" denies no allergy; "no allergies to report" does.
    if (!/^(?:report|note|mention|declare|speak|my knowledge|date)\b/i.test(object[1])) return null
  }
  // "No latex allergy": what is denied stands in the middle, and is for the caller to name.
  if (substanceIn(text.slice(stated.start, stated.end)) !== null) return null
  return general(reading, stated, range)
}

function general(reading: Reading, name: Range, within: Range): Denial {
  const text = reading.document.text
  const exception = findAllergyWords(text.slice(name.end, within.end), 'except')[0]
  const isDirect = exception !== undefined && /^[\s,(–-]*$/.test(text.slice(name.end, name.end + exception.start))
  if (isDirect) {
    const start = name.end + exception.end
    const stop = /[.;]|\)\s*$/.exec(text.slice(start, within.end))
    const end = stop ? start + stop.index : within.end
    return { facts: [], range: { start: name.start, end }, exceptions: { start, end } }
  }
  const fact = foundFact(reading.document, { type: 'allergy', name, status: 'negated', strength: 'strong' })
  return { facts: [fact], range: name, exceptions: null }
}

/** The longest of the table's phrases and of the grammar's. */
function deniedWords(reading: Reading, range: Range): Range | null {
  const text = reading.document.text
  const tokens = tokenise(text, range.start, range.end)
  const matches = tokens.flatMap((_, place) => matchAt(cueLexicon(), tokens, place, 'any') ?? [])
  const known = matches.find(
    (found) =>
      found.terms.some((term) => term.meaning.category === 'no-known') &&
      /allerg|nk\w?d?a\b|adverse/i.test(text.slice(found.start, found.end)),
  )
  const match = denied.exec(text.slice(range.start, range.end))
  const said = match ? { start: range.start + match.index, end: range.start + match.index + match[0].length } : null
  if (!known || !said) return known ?? said
  return said.end - said.start > known.end - known.start ? said : known
}

/** "Nil", "none known", "nil to drugs" under the heading of allergies. */
function plainDenial(text: string, range: Range): Range | null {
  const printed = text.slice(range.start, range.end).trim()
  if (inSection.test(printed)) return range
  const lead = /^(?:nil|none|no|denies)(?: known)?(?=\s+(?:to|for)\s)/i.exec(printed)
  const object = lead ? toKinds.exec(printed.slice(lead[0].length)) : null
  if (lead && object) return { start: range.start, end: range.start + lead[0].length }
  const opening = /^(?:nil|none|no)(?: known)?(?=\s*[,(]?\s*(?:except|apart|other than|but for))/i.exec(printed)
  return opening ? { start: range.start, end: range.start + opening[0].length } : null
}

export type KindOfAllergen = 'drug' | 'food' | 'environment' | 'any'

/** What a denial speaks of: "NKDA" of medicines, "no known food allergies" of food. */
export function kindOfDenial(printed: string): KindOfAllergen {
  const said = [
    /\bNK?DA\b|drug|medic|antibiotic/i.test(printed) ? (['drug'] as const) : [],
    /\bNK?FA\b|food/i.test(printed) ? (['food'] as const) : [],
    /environment|season|pollen/i.test(printed) ? (['environment'] as const) : [],
  ].flat()
  return said.length === 1 ? (said[0] ?? 'any') : 'any'
}
