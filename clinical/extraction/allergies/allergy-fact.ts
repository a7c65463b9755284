/** One allergy as a fact: substance, reaction and how bad it was. */
import type { FactDetail, FactStatus, FoundFact } from '../../document/found-fact.ts'
import { allergenLexicon, medicineLexicon, reactionLexicon, type Concept } from '../../terminology/concepts.ts'
import { isOnly } from '../../terminology/allergy-words.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { foundFact, trimmed, type Range, type Reading } from '../found.ts'
import { splitItems } from '../statements/list-items.ts'

export type AllergyParts = {
  readonly reaction: Range | null
  readonly severity: Range | null
  readonly status?: FactStatus
}

const howBad = '(?:mild(?: to moderate)?|moderate(?: to severe)?|severe|serious|minor|major|life[- ]threatening|fatal)'
const severity = new RegExp(`\\b(${howBad})\\b`, 'i')
export const severityAlone = new RegExp(
  `^\\W*(?:severity\\W*)?(${howBad})(?: (?:reaction|intolerance|allergy))?\\W*$`,
  'i',
)
const severityLast = new RegExp(`[\\s,;:(/–-]+(?:severity\\W*)?${howBad}(?: reaction)?[\\s).]*$`, 'i')
const anaphylaxis = /\banaphyla(?:xis|ctic)\b/i

export function allergyFact(reading: Reading, name: Range, parts: AllergyParts): FoundFact | null {
  const text = reading.document.text
  const printed = text.slice(name.start, name.end)
  if (!/\p{L}{3}/u.test(printed) || isOnly(printed, 'unanswered') || severityAlone.test(printed)) return null
  const said = parts.reaction ? text.slice(parts.reaction.start, parts.reaction.end) : ''
  const named = parts.severity ? text.slice(parts.severity.start, parts.severity.end).trim() : ''
  const range = parts.reaction ? withoutSeverity(text, parts.reaction) : null
  const reaction = range ? text.slice(range.start, range.end).replace(/\s+/g, ' ').trim() : ''
  const detail = withSeverity(reaction ? { reaction } : {}, named || said)
  const substance = substanceIn(printed)
  return foundFact(reading.document, {
    type: 'allergy',
    name,
    status: parts.status ?? 'present',
    detail: named ? { ...detail, severity: named } : detail,
    parts: [['detail', range]],
    concept: substance?.concept ?? null,
    strength: substance ? 'strong' : 'fair',
  })
}

/** "No allergy to penicillin" denies penicillin and nothing else. */
export function deniedAllergy(reading: Reading, name: Range): FoundFact {
  const concept = substanceIn(reading.document.text.slice(name.start, name.end))?.concept ?? null
  return foundFact(reading.document, { type: 'allergy', name, status: 'negated', concept, strength: 'fair' })
}

/** A further reaction or its severity, cut off by a comma: "codeine - nausea, vomiting, mild". */
export function withFurther(fact: FoundFact, printed: string): FoundFact | null {
  if (severityAlone.test(printed)) return { ...fact, detail: withSeverity(fact.detail, printed) }
  if (!isReaction(printed)) return null
  const reaction = [fact.detail.reaction, printed].filter(Boolean).join(', ')
  return { ...fact, detail: withSeverity({ ...fact.detail, reaction }, printed) }
}

function withSeverity(detail: FactDetail, said: string): FactDetail {
  const word = severity.exec(said)?.[1] ?? anaphylaxis.exec(said)?.[0]
  return word === undefined ? detail : { ...detail, severity: word }
}

/** "nausea, mild" is a reaction and how bad it was; a bracket that was opened is closed. */
function withoutSeverity(text: string, range: Range): Range | null {
  const whole = text.slice(range.start, range.end)
  const printed = /[([]/.test(whole) ? whole : whole.replace(/[\s,]+(?:\d{1,2}[/.-]){2}\d{2,4}\s*$/, '')
  const last = severityLast.exec(printed)
  if (severityAlone.test(printed)) return null
  const end = range.start + (last && last.index > 2 ? last.index : printed.length)
  const kept = trimmed(text, { start: range.start, end }, /[\s:;,.[\]–-]/)
  const words = text.slice(kept.start, kept.end)
  const opened = (words.match(/\(/g)?.length ?? 0) - (words.match(/\)/g)?.length ?? 0)
  if (opened > 0 && text[kept.end] === ')') return { start: kept.start, end: kept.end + 1 }
  if (opened < 0) return trimmed(text, { start: kept.start, end: kept.start + words.indexOf(')') })
  return kept.end > kept.start ? kept : null
}

export function substanceIn(printed: string): { concept: string; start: number; end: number } | null {
  const tokens = tokenise(printed)
  const found: Match<Concept>[] = [
    ...findTerms(allergenLexicon(), tokens, 'any'),
    ...findTerms(medicineLexicon(), tokens, 'any'),
  ]
  const best = found.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0]
  return best?.terms[0] ? { concept: best.terms[0].meaning.concept, start: best.start, end: best.end } : null
}

/** Whether the words hold anything that happens to people who do not bear something. */
export function namesReaction(printed: string): boolean {
  return findTerms(reactionLexicon(), tokenise(printed), 'any').length > 0
}

/** "Severe nausea", "hives 2012", "throat swelling (2004, severe)": nothing but what happened. */
export function isReaction(printed: string): boolean {
  const bare = printed
    .replace(dated, '')
    .replace(/[\s(,-]*\b(?:in )?(?:\d{1,2}\/)?(?:19|20)\d\d\)?\s*$/, '')
    .replace(severityLast, '')
    .replace(new RegExp(`^\\W*${howBad}\\s+`, 'i'), '')
  const tokens = tokenise(bare)
  return findTerms(reactionLexicon(), tokens, 'any').some((match) => match.from === 0 && match.to === tokens.length)
}

/** "Shellfish and bee venom" are two; "trimethoprim and sulfamethoxazole" is one, because the tables know it whole. */
export function allergenItems(text: string, from: number, to: number): Range[] {
  return splitItems(text, from, to).flatMap((item) => {
    const printed = text.slice(item.start, item.end)
    const joint = /\s+(?:and|or|&)\s+/i.exec(printed)
    if (!joint || printed.includes('(')) return [item]
    const parts = [
      { start: item.start, end: item.start + joint.index },
      { start: item.start + joint.index + joint[0].length, end: item.end },
    ]
    const whole = substanceIn(printed)
    const isOne = whole !== null && whole.start < joint.index && whole.end > joint.index
    const areNamed = parts.every((part) => substanceIn(text.slice(part.start, part.end)) !== null)
    return areNamed && !isOne ? parts : [item]
  })
}

/** "(2004, severe)", "12/05/1998": when it was, and how bad. */
const dated = new RegExp(
  String.raw`[\s,(–-]*(?:(?:in )?(?:\d{1,2}[/.-]){0,2}(?:19|20)\d\d|${howBad})(?:[\s,;]+(?:(?:in )?(?:\d{1,2}[/.-]){0,2}(?:19|20)\d\d|${howBad}))*[\s)]*$`,
  'i',
)

/** Where "severe rash" begins. */
export function startOfSeverity(text: string, reaction: Range): number | null {
  const words = new RegExp(`${howBad}\\s$`, 'i').exec(text.slice(Math.max(0, reaction.start - 25), reaction.start))
  return words ? reaction.start - words[0].length : null
}

/** In the bracket behind a substance, or the next words that name a reaction. */
export function reactionAfter(reading: Reading, end: number, name: Range): Range | null {
  const text = reading.document.text
  const bracket = /^\s*\(([^()]{3,60})\)/.exec(text.slice(name.end, end))
  const tokens = tokenise(text, name.end, end)
  const match = findTerms(reactionLexicon(), tokens)[0]
  if (bracket?.[1] !== undefined) {
    const start = name.end + bracket[0].indexOf('(') + 1
    const isSaid = match !== undefined && match.start < start + bracket[1].length
    return isSaid || severity.test(bracket[1]) ? { start, end: start + bracket[1].length } : null
  }
  if (!match || match.start - name.end >= 40) return null
  return { start: startOfSeverity(text, match) ?? match.start, end: match.end }
}

/** Unknown substances are of no kind that a denial could speak of. */
export function kindOfAllergen({ text, concept }: FoundFact): 'drug' | 'food' | 'environment' | null {
  if (concept === null) return null
  if (concept.startsWith('medications:')) return 'drug'
  const group = findTerms(allergenLexicon(), tokenise(text), 'any')[0]?.terms[0]?.meaning.group
  return group === 'medication' ? 'drug' : group === 'food' ? 'food' : 'environment'
}
