/** Allergies as a list names them: item by item, each with its reaction, and the doubt about it. */
import type { FactStatus, FoundFact } from '../document/found-fact.ts'
import { findAllergyWords, isOnly } from '../terminology/allergy-words.ts'
import { readDenial } from './allergy-denials.ts'
import { allergenItems, allergyFact, isReaction, substanceIn, withFurther } from './allergy-fact.ts'
import { assertionOf, findCues } from './context.ts'
import { trimmed, type Range, type Reading } from './found.ts'
import { bare, wordCount } from './list-items.ts'
import { tokensOf, type Segment } from './segments.ts'

export const sectionLabel =
  /^\W{0,2}(?:known |other )?(?:(?:drug|food|medication|medicine|latex|environmental)s?(?: and food)? )?(?:allerg(?:y|ies)|intoleranc(?:e|es)|sensitivit(?:y|ies)|adverse (?:drug )?reactions?|ADRs?)(?:\s*(?:\/|&|and)\s*(?:allergies|intolerances|sensitivities|adverse (?:drug )?reactions?|ADRs?))?\s*:\s*/i
const otherLabel =
  /^[^:\n]*(?:allerg|reaction|intoleran|sensitiv|alert|medic|drug|food|environment|other|adr)[^:\n]*:\s*/i

export function listedAllergies(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const printed = text.slice(segment.start, segment.end)
  const label = sectionLabel.exec(printed)?.[0] ?? /^[^:\n]{2,40}:\s*/.exec(printed)?.[0] ?? ''
  const isLabel = label !== '' && (sectionLabel.test(label) || otherLabel.test(label)) && substanceIn(label) === null
  const body = bare(text, { start: isLabel ? segment.start + label.length : segment.start, end: segment.end })
  const denial = denialOfBody(reading, segment, body)
  if (denial) return denial
  const facts: FoundFact[] = []
  for (const item of allergenItems(text, body.start, body.end)) {
    const last = facts.at(-1)
    const further = last && last.status !== 'negated' ? withFurther(last, text.slice(item.start, item.end)) : null
    if (further) facts[facts.length - 1] = further
    else facts.push(...itemFacts(reading, segment, item))
  }
  // "Alerts: falls risk" is under the same heading as allergies.
  const isAlert = /^\W*(?:medical )?alerts?\b(?!.*(?:allerg|reaction|intoleran))/i.test(
    label || (segment.role.heading ?? ''),
  )
  return isAlert ? facts.filter((fact) => fact.concept !== null || /allerg/i.test(fact.text)) : facts
}

/** A denial that speaks for the whole line; "penicillin - rash; no known food allergies" is a list. */
function denialOfBody(reading: Reading, segment: Segment, body: Range): FoundFact[] | null {
  const text = reading.document.text
  const denial = readDenial(reading, body, 'section')
  if (!denial) return null
  const rest = `${text.slice(body.start, denial.range.start)} ${text.slice(denial.range.end, body.end)}`
  if (substanceIn(rest) !== null) return null
  if (denial.exceptions) return exceptedAllergies(reading, segment, denial.exceptions)
  const { start } = body
  const [fact] = denial.facts
  // "Food allergies: none" denies food: the label is a part of what is said.
  const label = text.slice(segment.start, start)
  const isScoped = fact && denial.range.start === start && /^\W*(?:food|drug|medic\w+|environmental)\b/i.test(label)
  if (!isScoped || fact.concept !== null) return [...denial.facts]
  const spans = fact.spans.map((span) => ({ ...span, start: segment.start, length: denial.range.end - segment.start }))
  return [{ ...fact, text: text.slice(segment.start, denial.range.end).replace(/\s+/g, ' '), spans }]
}

function itemFacts(reading: Reading, segment: Segment, item: Range): readonly FoundFact[] {
  const denial = readDenial(reading, item, 'section')
  if (denial?.exceptions) return exceptedAllergies(reading, segment, denial.exceptions)
  if (denial) return denial.facts
  const fact = listedAllergy(reading, segment, item)
  return fact ? [fact] : []
}

/** What a denial leaves out: "NKDA apart from penicillin (rash)". */
export function exceptedAllergies(reading: Reading, segment: Segment, range: Range): FoundFact[] {
  return allergenItems(reading.document.text, range.start, range.end).flatMap(
    (item) => listedAllergy(reading, segment, item) ?? [],
  )
}

const itemLead =
  /^(?:(?:patient (?:is )?|he is |she is |known |an? )?(?:allergic|allergy|intolerant|intolerance|sensitive|sensitivity|anaphylaxis) (?:to|of)\s+)/i
const reactionMark =
  /\s*(?:\(|\[|\s[-–—]\s?|:|→|=>|\s(?=\?\s?\p{L})|\bcaus(?:es|ing|ed)\b|\bresult(?:s|ed|ing) in\b|\bwith\b|\bgives\b)\s*/iu

function listedAllergy(reading: Reading, segment: Segment, item: Range): FoundFact | null {
  const text = reading.document.text
  const whole = withoutDoubt(text, item)
  const printed = text.slice(whole.name.start, item.end)
  if (isUnanswered(printed) || !/\p{L}{3}/u.test(printed)) return null
  const start = whole.name.start + (itemLead.exec(printed)?.[0].length ?? 0)
  const rest = text.slice(start, item.end)
  const split = reactionMark.exec(rest)
  const nameEnd = start + (split && split.index > 1 ? split.index : rest.length)
  const { name, status } = withoutDoubt(text, bare(text, { start, end: nameEnd }))
  const reaction =
    split && nameEnd < item.end
      ? trimmed(text, { start: nameEnd + split[0].length, end: item.end }, /[\s:;,.[\]–-]/)
      : null
  const said = assertionOf(segment.tokens, findCues(segment.tokens), tokensOf(segment, name)).status
  if (said === 'negated' || said === 'family' || said === 'other') return null
  const words = text.slice(name.start, name.end)
  if (findAllergyWords(text.slice(item.start, item.end), 'disproved').length > 0) return null
  if (substanceIn(words) === null && isReaction(words)) return null
  const isProse = /\b(?:is|was|has|have|the|please|had|patient|denies)\b/i.test(words)
  if (substanceIn(words) === null && (wordCount(text, name) > 5 || isProse)) return null
  const isDoubt = isDoubted(reading, reaction)
  const isUnsure = [whole.status, status, said].includes('uncertain') || isDoubt
  const kind = isUnsure ? (/\s+(?:allergy|intolerance)$/i.exec(words)?.[0].length ?? 0) : 0
  return allergyFact(
    reading,
    { start: name.start, end: name.end - kind },
    {
      reaction: reaction && !isDoubt ? withoutKind(text, reaction) : null,
      severity: null,
      status: isUnsure ? 'uncertain' : 'present',
    },
  )
}

/** "Erythromycin - intolerance (GI upset)": which kind it is stands before the reaction. */
function withoutKind(text: string, reaction: Range): Range {
  const lead =
    /^(?:intolerance|allergy|side[- ]effects?|adverse (?:drug )?reaction|reaction|sensitivity)\s*[(:–-]+\s*/i.exec(
      text.slice(reaction.start, reaction.end),
    )
  const start = reaction.start + (lead?.[0].length ?? 0)
  const end = lead?.[0].includes('(') && text[reaction.end - 1] === ')' ? reaction.end - 1 : reaction.end
  return { start, end }
}

function isUnanswered(printed: string): boolean {
  const opening = findAllergyWords(printed, 'unanswered')[0]
  return isOnly(printed, 'unanswered') || (opening?.from === 0 && substanceIn(printed) === null)
}

/** "(unconfirmed)", "- unsure": a doubt about the allergy, where a reaction would stand. */
function isDoubted(reading: Reading, reaction: Range | null): boolean {
  if (!reaction) return false
  const words = reading.document.text.slice(reaction.start, reaction.end)
  return /^\W*\?+\W*$/.test(words) || findAllergyWords(words, 'uncertain')[0]?.from === 0
}

/** "?penicillin", "Latex? unsure", "possible sulfa allergy": the substance, and that it is in doubt. */
export function withoutDoubt(text: string, range: Range): { name: Range; status: FactStatus } {
  const printed = text.slice(range.start, range.end)
  const lead =
    /^\W*(?:\?+|query|possibl[ey]|probabl[ey]|suspected|questionable|unconfirmed|maybe|presumed|(?:unsure|uncertain|not sure|unclear|unknown) (?:if|whether)(?: (?:he|she|they|patient|pt))?(?: (?:is|was))?(?: allergic)?(?: to)?)\s*(?=\p{L})/iu.exec(
      printed,
    )
  const tail =
    /\s*(?:\?+|\b(?:unsure|not sure|uncertain|unconfirmed|unclear|not confirmed|possible)\b)[\s?]*(?:\b(?:unsure|not sure|uncertain|unconfirmed|unclear|allergy)\b)?[\s?)]*$/i.exec(
      printed,
    )
  const start = range.start + (lead?.[0].length ?? 0)
  const end = tail && tail.index > 2 ? range.start + tail.index : range.end
  const isUnsure = lead !== null || (tail !== null && tail.index > 2)
  return isUnsure ? { name: { start, end }, status: 'uncertain' } : { name: range, status: 'present' }
}
