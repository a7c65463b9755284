/** The items of problem lists: an item is the statement itself, its words stay whole even where the dictionary knows only some. */
import type { FactStatus, FoundDate, FoundFact } from '../../document/found-fact.ts'
import { conditionLexicon, procedureLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { habitLexicon } from '../../terminology/social-habits.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { emptyItem, lasting, notCondition, proseWords } from './condition-words.ts'
import type { Cover } from '../../document/places.ts'
import { findCues, type CueHit } from '../statements/context.ts'
import { foundDate } from '../statements/dated-context.ts'
import { foundFact, isLegible, type Range, type Reading } from '../found.ts'
import { bare, splitItems, wordCount } from '../statements/list-items.ts'
import { itemDate, leadingYear } from '../statements/mention-dates.ts'
import { isProvisional, laterality, listSections, type MentionContext } from '../statements/mention-context.ts'
import { procedureFact } from '../procedures/procedure-fact.ts'
import { isSurgical, procedureTerms } from '../procedures/procedure-terms.ts'
import type { Segment } from '../statements/segments.ts'

const surgical = new Set(['past-surgical-history', 'procedures'])

export function listItems(reading: Reading, segment: Segment): Range[] | null {
  const slug = segment.role.slug ?? ''
  if (!listSections.has(slug) || segment.role.slug === 'presenting-complaint') return null
  const text = reading.document.text
  const label = /^\s*[^:\n]{2,40}:\s+/.exec(text.slice(segment.start, segment.end))?.[0].length ?? 0
  const body = { start: segment.start + (segment.kind === 'item' ? 0 : label), end: segment.end }
  const items = joinEndings(
    reading,
    segment.kind === 'row' ? rowItem(reading, segment) : splitItems(text, body.start, body.end),
  )
  const isProse =
    findCues(segment.tokens).some(({ answer }) => answer && (answer.kind !== 'yes' || segment.kind !== 'row')) ||
    items.some(
      (item) =>
        wordCount(text, item) > 9 ||
        proseWords.test(text.slice(item.start, item.end)) ||
        text.slice(item.start, item.end).includes('?') ||
        isQualified(segment, item) ||
        /^(?:no|nil|without|denies)\b/i.test(text.slice(item.start, item.end)),
    )
  return isProse || items.length === 0 ? null : items.flatMap((item) => splitJoined(text, item))
}

/** "Depression, in remission": what says that something is over is no item of its own. */
function joinEndings({ document: { text } }: Reading, items: readonly Range[]): Range[] {
  return items.reduce<Range[]>((joined, item) => {
    const last = joined.at(-1)
    const words = tokenise(text, item.start, item.end)
    const isEnding =
      (detailOfItem.test(text.slice(item.start, item.end)) && findTerms(conditionLexicon(), words).length === 0) ||
      findCues(words).some((cue) => saysEnded(cue) && cue.from === 0 && cue.to === words.length)
    return last && isEnding ? [...joined.slice(0, -1), { start: last.start, end: item.end }] : [...joined, item]
  }, [])
}

/** "Dementia, diagnosed 2018", "T2DM, on metformin" */
const detailOfItem =
  /^(?:diagnosed|dx'?d?\b|since\b|onset\b|on (?!going)\p{L}|managed\b|(?:well |poorly |diet |rate )?controlled\b|under (?:the )?(?:care|dr|review)|followed\b|for which\b|requiring\b|not on\b)/iu

const qualifying: ReadonlySet<string> = new Set([
  'negation',
  'uncertain',
  'hypothetical',
  'question',
  'family',
  'other-subject',
])

/** "R/o ACS", "cannot exclude PFO", "mother: asthma": an item that says more than a name is read as a sentence. */
function isQualified({ tokens }: Segment, item: Range): boolean {
  const own = tokens.filter((token) => token.start >= item.start && token.end <= item.end)
  const terms = [...findTerms(conditionLexicon(), own), ...findTerms(procedureLexicon(), own)]
  return findCues(own).some(
    ({ effects, from, to }) =>
      effects.some(({ category }) => qualifying.has(category) && (category !== 'negation' || isAhead(from, terms))) &&
      !terms.some((term) => term.from <= from && to <= term.to),
  )
}

/** "Concussion with no loss of consciousness" is one name. */
function isAhead(cue: number, terms: readonly Match<Concept>[]): boolean {
  return terms.every((term) => cue < term.from)
}

/** "Insomnia with sleep apnoea": two conditions of the dictionary in one item are two facts. */
function splitJoined(text: string, item: Range): Range[] {
  const tokens = tokenise(text, item.start, item.end)
  const procedures = findTerms(procedureLexicon(), tokens)
  const conditions = findTerms(conditionLexicon(), tokens).filter((match) => !isPartOf(match, procedures))
  const matches = [...conditions, ...procedures.filter((match) => !isPartOf(match, conditions))].toSorted(
    (a, b) => a.start - b.start,
  )
  for (const [place, left] of matches.entries()) {
    const right = matches[place + 1]
    const between = right ? text.slice(left.end, right.start) : ''
    const isMixed = right !== undefined && procedures.includes(left) !== procedures.includes(right)
    const cut = right ? left.end + (joinerBefore(between, isMixed) ?? Number.NaN) : Number.NaN
    if (Number.isNaN(cut)) continue
    return [
      bare(text, { start: item.start, end: left.end }),
      ...splitJoined(text, bare(text, { start: cut, end: item.end })),
    ]
  }
  return [item]
}

/** Where the second name begins: behind "with" or "and", and before "s/p" or "previous", which are said of it. */
function joinerBefore(between: string, isMixed: boolean): number | null {
  const side = /(?:(?:right|left|bilateral|mild|moderate|severe|acute|chronic)\s+){0,2}$/i
  const joined = /^\s*(?:\([^)]*\)\s*)?(?:with|and|&|\+|\/|due to|secondary to|complicated by)\s+/i.exec(between)?.[0]
    .length
  if (joined !== undefined) return joined
  const dashed = /^\s*(?:\([^)]*\)\s*)?\s[-–—]\s+/.exec(between)?.[0].length
  const past = /^(?:previous|prior|old|h\/o|history of|hx of)\s+/i
  if (dashed !== undefined && past.test(between.slice(dashed))) return dashed
  if (!isMixed) return null
  const done = /^[\s,(–—-]*(?=(?:s\/p|status[ -]post|post|previous|prior|treated with|requiring|managed with)\s)/i.exec(
    between,
  )
  if (done) return done[0].length
  return dashed !== undefined && side.test(between.slice(dashed)) && between.slice(dashed).replace(side, '') === ''
    ? dashed
    : null
}

function isPartOf(match: Match<Concept>, others: readonly Match<Concept>[]): boolean {
  return others.some(
    (other) =>
      other.start <= match.start && match.end <= other.end && other.end - other.start > match.end - match.start,
  )
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
export function itemFact(context: MentionContext, item: Range, taken: Cover): FoundFact | null {
  const { reading, segment } = context
  const text = reading.document.text
  const whole = itemName(text, item, reading)
  const ended = context.cues.find(
    (cue) => saysEnded(cue) && isOf(text, whole, segment.kind === 'row' ? segment : item, cue),
  )
  const found = ended ? bare(text, { start: whole.start, end: Math.min(whole.end, ended.start) }) : whole
  const name = withoutTreatment(segment, found, taken)
  const printed = text.slice(name.start, name.end)
  if (!/\p{L}{2}/u.test(printed) || emptyItem.test(printed) || taken.touches(name)) return null
  const tokens = segment.tokens.filter((token) => token.start >= name.start && token.end <= name.end)
  const conditions = findTerms(conditionLexicon(), tokens)
  const procedures = findTerms(procedureLexicon(), tokens)
  const date = itemDate(reading, segment, item, name)
  const slug = segment.role.slug ?? ''
  const isOperation = isSurgical(printed) && printed.length <= 60
  const isProcedure =
    covered(procedures) > covered(conditions) ||
    (surgical.has(slug) && conditions.length === 0 && (slug !== 'procedures' || isOperation)) ||
    (isOperation && procedureTerms({ tokens }).length > 0)
  // In an assessment a procedure is as often ordered as done: the sentence decides, not the list.
  if (isProcedure && slug.startsWith('assessment')) return null
  if (isProcedure) return procedureFact(context, name, { concept: longest(procedures), date, isListed: true })
  const term = longest(conditions)
  const isKnown = term !== null
  const last = conditions.at(-1)
  if (last && notCondition.test(text.slice(last.end, Math.min(name.end, last.end + 24)))) return null
  if (
    !isKnown &&
    (slug === 'assessment' || slug === 'assessment-and-plan' || slug === 'procedures' || slug === 'complications')
  )
    return null
  if (isHabit(tokens) || (!isKnown && !isLegible(reading, name))) return null
  const known = conditions[0]
  const legibleName = known && !isLegible(reading, name) ? { start: known.start, end: known.end } : name
  const isPast =
    ended !== undefined ||
    isPastItem(segment, `${printed} ${term?.name ?? ''}`) ||
    isLedAsPast(text, item, name, printed)
  const status: FactStatus = isProvisional(segment.role) ? 'uncertain' : isPast ? 'historical' : 'present'
  return foundFact(reading.document, {
    type: term?.group === 'symptom' && slug.startsWith('assessment') ? 'symptom' : 'condition',
    name: legibleName,
    status,
    date: date ?? stayDate(reading, segment),
    detail: {
      ...(status === 'uncertain' ? {} : { clinicalStatus: status === 'historical' ? 'resolved' : 'active' }),
      ...laterality(printed),
    },
    concept: term?.concept ?? null,
    strength: isKnown ? 'strong' : 'fair',
  })
}

/** "T2DM on metformin": the medicine behind it is told as one; the condition stays. */
function withoutTreatment(segment: Segment, name: Range, taken: Cover): Range {
  if (!taken.touches(name)) return name
  const tokens = segment.tokens.filter((token) => token.start >= name.start && token.end <= name.end)
  const [first] = findTerms(conditionLexicon(), tokens)
  return first && first.from <= 3 ? { start: name.start, end: first.end } : name
}

/** "Otitis media - resolved", "Asthma (childhood)": the words are about the item, not of its name. */
function isOf(text: string, name: Range, item: Range, cue: CueHit): boolean {
  if (cue.start <= name.start + 3) return false
  return cue.end <= item.end || /^[\s,(–-]*$/.test(text.slice(name.end, cue.start))
}

function saysEnded({ effects }: CueHit): boolean {
  return effects.some(({ category, direction }) => category === 'ended' && direction === 'after')
}

const pastLead = /\b(?:(previous|prior|past|old|former|ex-?|resolved)|history of|hx of|h\/o|s\/p|status[ -]post)\b/i

/** "Previous TIA" is over whatever it is; "h/o DVT" unless such things last. */
function isLedAsPast(text: string, item: Range, name: Range, printed: string): boolean {
  const lead = pastLead.exec(text.slice(item.start, name.start)) ?? /^(old|former|previous|past|prior)\b/i.exec(printed)
  return lead !== null && (lead[1] !== undefined || !lasting.test(printed))
}

function isPastItem(segment: Segment, printed: string): boolean {
  if (segment.role.isOver) return true
  return (
    segment.role.slug === 'past-medical-history' &&
    !lasting.test(printed) &&
    !/comorbid|current|active/i.test(segment.role.heading ?? '')
  )
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
    /^\W*(?:(?:previous|prior|past|known|old|history of|hx of|h\/o|s\/p|status[ -]post|treated with|requiring|managed with|remote|distant)\s+)+(?=\S{2})/i.exec(
      printed,
    )?.[0].length ?? 0
  return bare(text, {
    start: start + lead,
    end: stop && stop.index > 2 + lead ? start + stop.index : start + printed.length,
  })
}

/** "Ex-smoker" or "non-drinker" in a list of illnesses is social history and no illness; "alcohol abuse" is one. */
function isHabit(tokens: Segment['tokens']): boolean {
  return findTerms(habitLexicon(), tokens, 'any').some(
    (match) =>
      match.from === 0 && match.to === tokens.length && match.terms.some(({ meaning }) => meaning.status !== null),
  )
}

function longest(matches: readonly Match<Concept>[]): Concept | null {
  const best = matches.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0]
  return best?.terms[0]?.meaning ?? null
}

function covered(matches: readonly Range[]): number {
  return matches.reduce((sum, match) => sum + match.end - match.start, 0)
}
