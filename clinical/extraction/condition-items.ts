/** The items of problem lists: an item is the statement itself, its words stay whole even where the dictionary knows only some. */
import type { FactStatus, FoundDate, FoundFact } from '../document/found-fact.ts'
import { conditionLexicon, procedureLexicon, type Concept } from '../terminology/concepts.ts'
import { findTerms, type Match } from '../terminology/lexicon.ts'
import { tokenise } from '../terminology/tokens.ts'
import { emptyItem, lasting, proseWords } from './condition-words.ts'
import type { Cover } from '../document/places.ts'
import { findCues, type CueHit } from './context.ts'
import { foundDate } from './dated-context.ts'
import { foundFact, isLegible, type Range, type Reading } from './found.ts'
import { bare, splitItems, wordCount } from './list-items.ts'
import { itemDate, leadingYear } from './mention-dates.ts'
import { isProvisional, laterality, listSections, type MentionContext } from './mention-context.ts'
import { procedureFact } from './procedure-fact.ts'
import type { Segment } from './segments.ts'

const surgical = new Set(['past-surgical-history', 'procedures'])

export function listItems(reading: Reading, segment: Segment): Range[] | null {
  const slug = segment.role.slug ?? ''
  if (!listSections.has(slug) || segment.role.slug === 'presenting-complaint') return null
  const text = reading.document.text
  const label = /^\s*[^:\n]{2,40}:\s+/.exec(text.slice(segment.start, segment.end))?.[0].length ?? 0
  const body = { start: segment.start + (segment.kind === 'item' ? 0 : label), end: segment.end }
  const items = segment.kind === 'row' ? rowItem(reading, segment) : splitItems(text, body.start, body.end)
  const isProse =
    findCues(segment.tokens).some(({ answer }) => answer && (answer.kind !== 'yes' || segment.kind !== 'row')) ||
    items.some(
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
export function itemFact(context: MentionContext, item: Range, taken: Cover): FoundFact | null {
  const { reading, segment } = context
  const text = reading.document.text
  const whole = itemName(text, item, reading)
  const ended = context.cues.find(
    (cue) => saysEnded(cue) && isOf(text, whole, segment.kind === 'row' ? segment : item, cue),
  )
  const name = ended ? bare(text, { start: whole.start, end: Math.min(whole.end, ended.start) }) : whole
  const printed = text.slice(name.start, name.end)
  if (!/\p{L}{2}/u.test(printed) || emptyItem.test(printed) || taken.touches(name)) return null
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
  const isPast = ended !== undefined || isPastItem(segment, `${printed} ${term?.name ?? ''}`)
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

/** "Otitis media - resolved", "Asthma (childhood)": the words are about the item, not of its name. */
function isOf(text: string, name: Range, item: Range, cue: CueHit): boolean {
  if (cue.start <= name.start + 3) return false
  return cue.end <= item.end || /^[\s,(–-]*$/.test(text.slice(name.end, cue.start))
}

function saysEnded({ effects }: CueHit): boolean {
  return effects.some(({ category, direction }) => category === 'ended' && direction === 'after')
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
    /^\W*(?:(?:previous|prior|past|known|old|history of|hx of|h\/o|s\/p|status post)\s+)+(?=\S{3})/i.exec(printed)?.[0]
      .length ?? 0
  return bare(text, {
    start: start + lead,
    end: stop && stop.index > 2 + lead ? start + stop.index : start + printed.length,
  })
}

function longest(matches: readonly Match<Concept>[]): Concept | null {
  const best = matches.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0]
  return best?.terms[0]?.meaning ?? null
}

function covered(matches: readonly Range[]): number {
  return matches.reduce((sum, match) => sum + match.end - match.start, 0)
}
