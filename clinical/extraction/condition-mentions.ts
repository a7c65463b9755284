/** Conditions and symptoms: the items of problem lists whole, and the dictionary's terms in sentences. */
import type { FactDetail, FactStatus, FoundDate, FoundFact } from '../document/found-fact.ts'
import type { DocumentClass } from '../document/mapped.ts'
import { conditionLexicon, procedureLexicon, type Concept } from '../terminology/concepts.ts'
import { findTerms, type Match } from '../terminology/lexicon.ts'
import { tokenise } from '../terminology/tokens.ts'
import { emptyItem, lasting, lateralityWords, notCondition, proseWords, tooPlain } from './condition-words.ts'
import { assertionOf, findCues, type Assertion, type CueHit } from './context.ts'
import { foundDate } from './dated-context.ts'
import { foundFact, isLegible, type Range, type Reading } from './found.ts'
import { bare, splitItems, wordCount } from './list-items.ts'
import { itemDate, leadingYear, statedDate } from './mention-dates.ts'
import { extendMention } from './mention-extent.ts'
import { procedureFact } from './procedure-fact.ts'
import type { Segment } from './segments.ts'

export const listSections = new Set([
  'problem-list',
  'past-medical-history',
  'discharge-diagnosis',
  'reason-for-admission',
  'complications',
  'past-surgical-history',
  'procedures',
  'assessment',
  'assessment-and-plan',
  'presenting-complaint',
])
const closedSections = new Set([
  'medications',
  'admission-medications',
  'discharge-medications',
  'ceased-medications',
  'allergies',
  'immunisations',
  'patient-details',
  'care-team',
  'technique',
  'specimens',
  'payment-and-administrative',
  'comparison',
  'advance-directives',
])
/** What these sections say is to come or to look out for, unless it is denied. */
const aheadSections = new Set(['plan', 'follow-up', 'discharge-instructions', 'goals'])
/** Documents that state no diagnosis outside of a section for it. */
export const speaksOfOthers: ReadonlySet<DocumentClass> = new Set([
  'lab_report',
  'prescription',
  'medication_list',
  'immunization_record',
  'administrative',
])
const surgical = new Set(['past-surgical-history', 'procedures'])

export type MentionContext = { readonly reading: Reading; readonly segment: Segment; readonly cues: readonly CueHit[] }

export function findMentions(reading: Reading, taken: readonly Range[], rowLines: ReadonlySet<number>): FoundFact[] {
  return reading.segments.flatMap((segment) => {
    if (
      segment.kind === 'heading' ||
      rowLines.has(segment.firstLine) ||
      closedSections.has(segment.role.slug ?? '') ||
      isAdministrative(reading, segment)
    )
      return []
    const context: MentionContext = { reading, segment, cues: findCues(segment.tokens) }
    const items = listItems(reading, segment)
    if (items) return items.flatMap((item) => itemFact(context, item, taken) ?? [])
    return statedConditions(context, taken)
  })
}

/** "Unit: Renal Medicine", "Referred to: Diabetes Centre": names of places and people, not findings. */
function isAdministrative(reading: Reading, segment: Segment): boolean {
  const label = /^\s*([^:\n\t]{2,30})[:\t]/.exec(reading.document.text.slice(segment.start, segment.end))?.[1] ?? ''
  return /\b(?:clinic|unit|ward|department|dept|service|hospital|practice|provider|attending|refer\w*|copy|cc|address|phone|fax|email|specialty|consultant|doctor|physician|facility|location|patient|name|employer|occupation|insurance|payer|medicare|destination|to|from)$/i.test(
    label,
  )
}

function listItems(reading: Reading, segment: Segment): Range[] | null {
  const slug = segment.role.slug ?? ''
  if (!listSections.has(slug) || segment.role.slug === 'presenting-complaint') return null
  const text = reading.document.text
  const label = /^\s*[^:\n]{2,40}:\s+/.exec(text.slice(segment.start, segment.end))?.[0].length ?? 0
  const body = { start: segment.start + (segment.kind === 'item' ? 0 : label), end: segment.end }
  const items = segment.kind === 'row' ? rowItem(reading, segment) : splitItems(text, body.start, body.end)
  const isProse = items.some(
    (item) =>
      wordCount(text, item) > 9 ||
      proseWords.test(text.slice(item.start, item.end)) ||
      text.slice(item.start, item.end).includes('?') ||
      /^(?:no|nil|without|denies)\b/i.test(text.slice(item.start, item.end)),
  )
  return isProse || items.length === 0 ? null : items.flatMap((item) => splitJoined(text, item))
}

/** "Insomnia with sleep apnoea": two conditions of the dictionary in one item are two facts. */
function splitJoined(text: string, item: Range): Range[] {
  const matches = findTerms(conditionLexicon(), tokenise(text, item.start, item.end))
  for (const [place, left] of matches.entries()) {
    const right = matches[place + 1]
    const joiner =
      right &&
      /^\s*(?:\([^)]*\)\s*)?(?:with|and|&|\+|\/|due to|secondary to|complicated by)\s+/i.exec(
        text.slice(left.end, right.start),
      )
    if (!right || !joiner) continue
    const cut = left.end + joiner[0].length
    return [
      bare(text, { start: item.start, end: left.end }),
      ...splitJoined(text, bare(text, { start: cut, end: item.end })),
    ]
  }
  return [item]
}

function rowItem(reading: Reading, segment: Segment): Range[] {
  const line = reading.document.lines[segment.firstLine]
  const cell = line?.cells.find(
    (candidate) =>
      /\p{L}{3}/u.test(reading.document.text.slice(candidate.start, candidate.start + candidate.length)) &&
      reading.dates.within(candidate.start, candidate.start + candidate.length).length === 0,
  )
  return cell ? [bare(reading.document.text, { start: cell.start, end: cell.start + cell.length })] : []
}

/** A list's item is the statement itself: its words stay whole even where the dictionary knows only some of them. */
export function itemFact(context: MentionContext, item: Range, taken: readonly Range[]): FoundFact | null {
  const { reading, segment } = context
  const text = reading.document.text
  const name = itemName(text, item, reading)
  const printed = text.slice(name.start, name.end)
  if (!/\p{L}{2}/u.test(printed) || emptyItem.test(printed) || taken.some((range) => overlaps(range, name))) return null
  const tokens = segment.tokens.filter((token) => token.start >= name.start && token.end <= name.end)
  const conditions = findTerms(conditionLexicon(), tokens)
  const procedures = findTerms(procedureLexicon(), tokens)
  const date = itemDate(reading, segment, item, name)
  const slug = segment.role.slug ?? ''
  const isProcedure = covered(procedures) > covered(conditions) || (surgical.has(slug) && conditions.length === 0)
  // In an assessment a procedure is as often ordered as done: the sentence decides, not the list.
  if (isProcedure && slug.startsWith('assessment')) return null
  if (isProcedure) return procedureFact(context, name, { concept: longest(procedures), date, isListed: true })
  const term = longest(conditions)
  const isKnown = term !== null
  if (
    !isKnown &&
    (slug === 'assessment' || slug === 'assessment-and-plan' || slug === 'procedures' || slug === 'complications')
  )
    return null
  if (!isKnown && !isLegible(reading, name)) return null
  const known = conditions[0]
  const legibleName = known && !isLegible(reading, name) ? { start: known.start, end: known.end } : name
  const status: FactStatus = isPastItem(segment, `${printed} ${term?.name ?? ''}`) ? 'historical' : 'present'
  return foundFact(reading.document, {
    type: term?.group === 'symptom' && slug.startsWith('assessment') ? 'symptom' : 'condition',
    name: legibleName,
    status,
    date: date ?? stayDate(reading, segment),
    detail: { clinicalStatus: status === 'historical' ? 'resolved' : 'active', ...laterality(printed) },
    concept: term?.concept ?? null,
    strength: isKnown ? 'strong' : 'fair',
  })
}

function isPastItem(segment: Segment, printed: string): boolean {
  if (segment.role.isOver) return true
  return (
    segment.role.slug === 'past-medical-history' &&
    !lasting.test(printed) &&
    !/comorbid|current|active/i.test(segment.role.heading ?? '')
  )
}

function statedConditions(context: MentionContext, taken: readonly Range[]): FoundFact[] {
  const { reading, segment, cues } = context
  const text = reading.document.text
  const label = /^\s*\p{Lu}[^:\n.]{1,38}:/u.exec(text.slice(segment.start, segment.end))?.[0].length ?? 0
  return findTerms(conditionLexicon(), segment.tokens).flatMap((match) => {
    const term = clearTerm(match, segment)
    if (
      !term ||
      (match.end <= segment.start + label &&
        label > 0 &&
        /diagnos|history|problem|condition/i.test(text.slice(segment.start, segment.start + label))) ||
      tooPlain.test(text.slice(match.start, match.end)) ||
      notCondition.test(text.slice(match.end, match.end + 24)) ||
      taken.some((range) => overlaps(range, match))
    )
      return []
    const assertion = assertionOf(segment.tokens, cues, match)
    const name = extendMention(text, segment, match)
    const fact = conditionFact(context, { name, term, assertion, match })
    return fact ? [fact] : []
  })
}

type Mention = { name: Range; term: Concept; assertion: Assertion; match: Match<Concept> }

function conditionFact(context: MentionContext, { name, term, assertion, match }: Mention): FoundFact | null {
  const { reading, segment } = context
  const slug = segment.role.slug ?? ''
  if (assertion.status === 'family' || (slug === 'family-history' && assertion.status !== 'negated'))
    return familyFact(context, name, term, assertion)
  if (assertion.status === 'other' || slug === 'family-history' || deniesFamily(reading, assertion)) return null
  if (assertion.status !== 'negated' && isComment(context)) return null
  const status = statusOf(segment, term, assertion, reading.document.text.slice(name.start, name.end))
  const isSymptom = term.group === 'symptom'
  if (slug === 'indication' && status !== 'negated' && isSymptom) return null
  const type = isSymptom
    ? slug === 'examination' && status === 'present'
      ? 'physical_finding'
      : 'symptom'
    : 'condition'
  const date: FoundDate | null = statedDate(reading, segment, match)
  return foundFact(reading.document, {
    type,
    name,
    status,
    date,
    detail: {
      ...(status === 'present' && assertion.isEstablished ? { clinicalStatus: 'active' as const } : {}),
      ...laterality(reading.document.text.slice(name.start, name.end)),
    },
    parts: [['cue', assertion.cue]],
    concept: term.concept,
    strength: isSymptom ? 'weak' : 'fair',
  })
}

/** Laboratories print advice under results, prescriptions what a medicine is for, vaccine cards the diseases: nobody's diagnosis. */
function isComment({ reading, segment }: MentionContext): boolean {
  const slug = segment.role.slug
  return (
    speaksOfOthers.has(reading.document.documentClass) &&
    (slug === null || /^(?:results|specimens|vital-signs|clinical-notes)$/.test(slug))
  )
}

/** "No family history of glaucoma" says nothing of the patient's eyes. */
function deniesFamily(reading: Reading, { cue }: Assertion): boolean {
  return cue !== null && /famil/i.test(reading.document.text.slice(cue.start, cue.end))
}

function statusOf(segment: Segment, term: Concept, { status }: Assertion, printed: string): FactStatus {
  if (status === 'negated' || status === 'uncertain' || status === 'hypothetical') return status
  const slug = segment.role.slug ?? ''
  if (aheadSections.has(slug) || slug === 'indication')
    return slug === 'indication' && /^known/i.test(printed) ? 'present' : 'hypothetical'
  if (segment.role.isOver) return 'historical'
  const isPast = status === 'historical' || slug === 'past-medical-history' || slug === 'past-surgical-history'
  return isPast && !lasting.test(`${printed} ${term.name}`) ? 'historical' : 'present'
}

function familyFact(
  { reading, segment }: MentionContext,
  name: Range,
  term: Concept,
  assertion: Assertion,
): FoundFact | null {
  if (assertion.isNegated) return null
  const before = reading.document.text.slice(segment.start, segment.end)
  const relationship = nearestRelative(before, name.start - segment.start)
  return foundFact(reading.document, {
    type: 'family_history',
    name,
    status: 'family',
    detail: relationship ? { relationship } : {},
    parts: [['cue', assertion.cue]],
    concept: term.concept,
    strength: 'fair',
  })
}

const relatives =
  /\b((?:maternal |paternal )?(?:grand)?(?:mother|father|parents?|mum|mom|dad)|sisters?|brothers?|siblings?|sons?|daughters?|(?:maternal |paternal )?(?:aunts?|uncles?|cousins?))\b/gi

function nearestRelative(sentence: string, at: number): string | null {
  const found = Array.from(sentence.matchAll(relatives), (match) => ({
    word: match[1] ?? '',
    distance: Math.abs(match.index - at),
  }))
  return found.toSorted((a, b) => a.distance - b.distance)[0]?.word.toLowerCase() ?? null
}

/** The reason for a stay is dated by the stay. */
function stayDate(reading: Reading, segment: Segment): FoundDate | null {
  const isReason =
    segment.role.slug === 'reason-for-admission' ||
    /principal|primary|admission|admitting/i.test(segment.role.heading ?? '')
  const date =
    isReason && !/second|other|additional|comorbid/i.test(segment.role.heading ?? '')
      ? reading.dates.governing(segment.start, ['admitted'])
      : null
  return date ? foundDate(date, 'visit') : null
}

/** Without a date at its end, a year in brackets, or a status word behind a dash. */
function itemName(text: string, item: Range, reading: Reading): Range {
  const date = reading.dates.within(item.start, item.end)[0]
  const dateEnd = date && date.start - item.start > 3 ? date.start : item.end
  const start =
    date && date.start - item.start <= 3
      ? date.end
      : item.start + (leadingYear.exec(text.slice(item.start, item.end))?.[0].length ?? 0)
  const printed = text.slice(start, Math.max(start, dateEnd))
  const stop =
    /\s*(?:[([]\s*$|\(\s*(?:since|diagnosed|dx|onset|in|from)?\s*$|\b(?:since|diagnosed(?: in| on)?|dx|onset|from|in|on)\s*$|[,:]?\s(?:19|20)\d\d$|\s[-–—]\s(?=\S))/i.exec(
      printed,
    )
  const lead =
    /^\W*(?:(?:previous|prior|past|known|old|history of|hx of|h\/o|s\/p|status post)\s+)+(?=\S{3})/i.exec(printed)?.[0]
      .length ?? 0
  return bare(text, {
    start: start + lead,
    end: stop && stop.index > 2 + lead ? start + stop.index : start + printed.length,
  })
}

function clearTerm(match: Match<Concept>, segment: Segment): Concept | null {
  const clear = match.terms.find((term) => !term.isAmbiguous)
  const unclear = listSections.has(segment.role.slug ?? '') ? match.terms[0] : undefined
  const concept = (clear ?? unclear)?.meaning ?? null
  return concept && concept.group !== 'social, history and care' && concept.group !== 'allergy' ? concept : null
}

function longest(matches: readonly Match<Concept>[]): Concept | null {
  const best = matches.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0]
  return best?.terms[0]?.meaning ?? null
}

function covered(matches: readonly Range[]): number {
  return matches.reduce((sum, match) => sum + match.end - match.start, 0)
}

function laterality(printed: string): FactDetail {
  const side = lateralityWords.exec(printed)?.[1]
  return side ? { laterality: side.toLowerCase() } : {}
}

function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end
}
