/** Allergies as a list names them: item by item, each with its reaction, and the doubt about it. */
import type { FoundFact } from '../../document/found-fact.ts'
import { findAllergyWords, isOnly } from '../../terminology/allergy-words.ts'
import { readDenial } from './allergy-denials.ts'
import { allergenItems, allergyFact, isReaction, namesReaction, substanceIn, withFurther } from './allergy-fact.ts'
import { withoutDoubt } from './allergy-doubt.ts'
import { allergiesInRow } from './allergy-rows.ts'
import { isDoseGiven, isNoSubstance } from './no-substance.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import { trimmed, type Range, type Reading } from '../found.ts'
import { bare, wordCount } from '../statements/list-items.ts'
import { tokensOf, type Segment } from '../statements/segments.ts'

export const sectionLabel =
  /^\W{0,2}(?:known |other |reported |current |medical )?(?:(?:drug|food|medication|medicine|latex|environmental)s?(?: and food)? )?(?:allerg(?:y|ies)|intoleranc(?:e|es)|sensitivit(?:y|ies)|adverse (?:drug )?(?:reactions?|events?)|ADRs?)(?:\s*(?:\/|&|and)\s*(?:allergies|alerts?|intolerances|sensitivities|adverse (?:drug )?reactions?|ADRs?))?(?:\s(?:alerts?|status|list|history|details|information|summary))?\s*:\s*/i
/** Behind a question about allergies: "If yes, please list: penicillin". */
export const answerLabel =
  /^\W*(?:if (?:yes|so|any)\b[^:\n]{0,40}|(?:please )?(?:list|specify|give details|details|describe|state)\b[^:\n]{0,30})[:?]\s*/i
const otherLabel =
  /^[^:\n]*(?:allerg|reaction|intoleran|sensitiv|alert|medic|drug|food|environment|other|adr)[^:\n]*:\s*/i

/** "Tolerates cephalosporins" stands among allergies to say that there is none. */
const tolerated =
  /^\W*(?:(?:has|he|she|pt|patient|but|however|previously|also) )*(?:tolerat(?:es?|ed|ing)|(?:is )?able to (?:take|have|tolerate)|can (?:take|have|tolerate)|ok(?:ay)? with|safe with|no (?:issues?|problems?|reactions?) (?:with|to))\b/i

export function listedAllergies(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const printed = text.slice(segment.start, segment.end)
  if (tolerated.test(printed)) return []
  const row = segment.kind === 'row' ? allergiesInRow(reading, segment) : null
  if (row) return row
  const label =
    sectionLabel.exec(printed)?.[0] ?? answerLabel.exec(printed)?.[0] ?? /^[^:\n]{2,40}:\s*/.exec(printed)?.[0] ?? ''
  const isLabel =
    label !== '' &&
    (sectionLabel.test(label) || answerLabel.test(label) || otherLabel.test(label)) &&
    substanceIn(label) === null
  const start = isLabel ? segment.start + label.length : segment.start
  const prose = /\n(?=(?:Patient|Pt|He|She|They|Mr|Mrs|Ms|The)\b)/.exec(text.slice(start, segment.end))
  const body = bare(text, { start, end: prose ? start + prose.index : segment.end })
  const denial = denialOfBody(reading, segment, body)
  if (denial) return denial
  const facts: FoundFact[] = []
  for (const item of allergenItems(text, body.start, body.end).flatMap((each) => parted(text, each))) {
    const last = facts.at(-1)
    const words = text.slice(item.start, item.end)
    if (tolerated.test(words)) continue
    const further = last && last.status !== 'negated' ? withFurther(last, words) : null
    if (further) facts[facts.length - 1] = further
    // "?penicillin - patient unsure, childhood": behind a comma an unknown word goes on about it.
    else if (!isGoingOn(text, last, item) || isNamed(words) || readDenial(reading, item, 'section'))
      facts.push(...itemFacts(reading, segment, item))
  }
  // "Alerts: falls risk" is under the same heading as allergies.
  const isAlert = /^\W*(?:medical )?alerts?\b(?!.*(?:allerg|reaction|intoleran))/i.test(
    label || (segment.role.heading ?? ''),
  )
  return isAlert ? facts.filter((fact) => fact.concept !== null || /allerg/i.test(fact.text)) : facts
}

function isGoingOn(text: string, last: FoundFact | undefined, item: Range): boolean {
  const isTold = last?.detail.reaction !== undefined || last?.status === 'uncertain'
  return isTold && /,\s*$/.test(text.slice(Math.max(0, item.start - 3), item.start))
}
const isNamed = (words: string) => substanceIn(words) !== null || reactionMark.test(words)

/** "Ceftriaxone (rash) / morphine (itch)": a stroke with room on both sides parts two. */
function parted(text: string, item: Range): Range[] {
  const cut = /\s\/\s(?![^()]*\))/.exec(text.slice(item.start, item.end))
  if (!cut) return [item]
  const parts = [
    { start: item.start, end: item.start + cut.index },
    { start: item.start + cut.index + cut[0].length, end: item.end },
  ]
  return parts.every(({ start, end }) => substanceIn(text.slice(start, end)) !== null)
    ? parts.flatMap((part) => parted(text, part))
    : [item]
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
  /^(?:(?:\d{1,2}[ ./-](?:\d{1,2}|[a-z]{3,9})[ ./-]\d{2,4}|(?:19|20)\d\d)[\s:,–-]+)?(?:(?:patient (?:is )?|he is |she is |known |h\/o:? |an? )?(?:allergic|allergy|intolerant|intolerance|sensitive|sensitivity|anaphylaxis|(?:adverse )?(?:drug )?reaction) (?:to|of)\s+)?/i
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
  if (substanceIn(words) === null && (wordCount(text, name) > 5 || isProse || isNoSubstance(words))) return null
  if (!reaction && isDoseGiven(words)) return null
  const isDoubt = isDoubted(reading, reaction)
  const isUnsure = [whole.status, status, said].includes('uncertain') || isDoubt
  const kind = isUnsure ? (/\s+(?:allergy|intolerance)$/i.exec(words)?.[0].length ?? 0) : 0
  return allergyFact(
    reading,
    { start: name.start, end: name.end - kind },
    {
      reaction: reaction && !isDoubt && !isAdvice(text, reaction) ? withoutKind(text, reaction) : null,
      severity: null,
      status: isUnsure ? 'uncertain' : 'present',
    },
  )
}

/** "Contrast: needs premedication" tells what to do, not what happened. */
const isAdvice = (text: string, { start, end }: Range) =>
  /^(?:needs?|requires?|avoid|use|give|premed\w*|pre-med\w*|tolerat\w*|ok|safe|confirmed|reported|documented)\b/i.test(
    text.slice(start, end),
  ) && !namesReaction(text.slice(start, end))

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
  const doubt = findAllergyWords(words, 'uncertain')[0]
  return (
    /^\W*\?+\W*$/.test(words) ||
    (doubt !== undefined &&
      /^\W*(?:(?:patient|pt|mother|parents?|he|she|is|was)\s+)*$/i.test(words.slice(0, doubt.start)))
  )
}
