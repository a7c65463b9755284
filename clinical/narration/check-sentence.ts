/**
 * Whether a sentence that a model wrote says nothing but what the events say that it cites. It is taken apart into clauses;
 * what a clause tells (names, values, dates, doses, printed words) must stand whole in one of these events, and what is left
 * must be words of a short list that claim nothing. What is not understood is refused.
 */
import { otherNamesOf } from './problem-links.ts'
import type { RecordedEvent } from './recorded-event.ts'
import { spokenDate } from './event-sentence.ts'
import { claimsNoMore, saysStatus, type Clause, type Part, type PartKind, type Told } from './clause-claims.ts'
import { isConnecting, statusOfCue, statusOf } from './narrative-words.ts'

/** Why a sentence was dropped; a code, no content. */
export type SentenceRefusal =
  | 'cites_nothing'
  | 'cites_unknown'
  | 'mixes_statuses'
  | 'says_other_status'
  | 'says_more'
  | 'names_nothing'

export type CheckedSentence =
  | { readonly kind: 'kept'; readonly citedEventIds: readonly string[] }
  | { readonly kind: 'dropped'; readonly why: SentenceRefusal }

const dropped = (why: SentenceRefusal): CheckedSentence => ({ kind: 'dropped', why })
const longest = 1_000

export function checkSentence(
  text: string,
  citedIds: readonly string[],
  known: ReadonlyMap<string, RecordedEvent>,
): CheckedSentence {
  if (citedIds.length === 0) return dropped('cites_nothing')
  const cited = [...new Set(citedIds)].flatMap((id) => known.get(id) ?? [])
  if (cited.length !== new Set(citedIds).size) return dropped('cites_unknown')
  const [status, ...others] = new Set(cited.map(statusOf))
  if (status === undefined || others.length > 0) return dropped('mixes_statuses')
  if (text.length > longest || /[\p{Cc}\p{Co}]/u.test(text)) return dropped('says_more')
  const clauses = clausesOf(text, cited)
  if (clauses === null) return dropped('says_more')
  const told = ownersOf(clauses, cited)
  if (told === null || !claimsNoMore(told)) return dropped('says_more')
  if (!saysStatus(told, status)) return dropped('says_other_status')
  if (!told.some(({ parts, owner }) => parts.some((part) => isNamed(part, owner)))) return dropped('names_nothing')
  const owners = new Set(told.map(({ owner }) => owner))
  return { kind: 'kept', citedEventIds: cited.filter((event) => owners.has(event)).map(({ id }) => id) }
}

/** Whether a title names nothing but one of the events that its sentences tell. */
export function isNameOf(title: string, event: RecordedEvent): boolean {
  const wanted = title.trim().toLowerCase()
  return [event.name, ...otherNamesOf(event)].some((name) => name.toLowerCase() === wanted)
}

// A mark of ours, which no text may hold.
const placeholder = /\uE000(\d+)\uE000/gu

/** null: there are words in it that no event has and that are not of the list. */
function clausesOf(text: string, cited: readonly RecordedEvent[]): Clause[] | null {
  const { masked, parts } = mask(text, printedWords(cited))
  const clauses: (Clause & { readonly words: string[] })[] = []
  const heading: string[] = []
  for (const piece of masked.split(/[;:.]\s|[,;:.]|\band\b|\bthen\b/iu)) {
    const rest = piece.replace(placeholder, ' ').toLowerCase()
    // A dash before what is printed may be read as a minus.
    if (/[^\p{L}\s()'’“”"–-]/u.test(rest) || /[–-]\s*\uE000/u.test(piece)) return null
    const clause = clauseOf(piece.toLowerCase().replace(/\bfamily history\b/g, 'family'), parts)
    if (clause.words.some((word) => !isConnecting(word) && statusOfCue(word) === null)) return null
    const isEmpty = clause.parts.length === 0 && clause.words.every((word) => isConnecting(word))
    // "Was" between two commas tells nothing; "Allergies:" says of what kind all is that follows, "flagged" what stood before.
    if (isEmpty) (clauses.at(-1)?.words ?? heading).push(...clause.words)
    else clauses.push(clauses.length === 0 ? { ...clause, words: [...heading, ...clause.words] } : clause)
  }
  return clauses
}

function clauseOf(piece: string, known: readonly Part[]): Clause & { readonly words: string[] } {
  const tokens = Array.from(piece.matchAll(/\uE000(\d+)\uE000|\p{L}+(?:['’]\p{L}+)?/gu)).flatMap(
    ([word, at]): (string | Part)[] => (at === undefined ? [word] : [known[Number(at)] ?? []].flat()),
  )
  return {
    tokens,
    parts: tokens.filter((token) => typeof token !== 'string'),
    words: tokens.filter((token) => typeof token === 'string'),
  }
}

/**
 * The event that each clause stands on. A clause without a name goes on with what the one before it named. What is gathered
 * ("potassium and sodium were 4.1") would say more of the first than stands there.
 */
function ownersOf(clauses: readonly Clause[], cited: readonly RecordedEvent[]): Told[] | null {
  const told: Told[] = []
  let leading: Clause | null = null
  for (const clause of clauses) {
    const owner = ownerOf(clause, told.at(-1)?.owner, cited)
    // "In the family, …": a cue that opens the sentence belongs to what follows.
    if (owner === null && told.length === 0 && leading === null && clause.parts.length === 0) leading = clause
    else if (owner === null) return null
    else {
      if (leading !== null && told.length === 0) told.push({ ...leading, owner })
      told.push({ ...clause, owner })
    }
  }
  return told.length === 0 || isGathered(told) ? null : told
}

function ownerOf(
  { parts, words }: Clause,
  before: RecordedEvent | undefined,
  cited: readonly RecordedEvent[],
): RecordedEvent | null {
  const fitting = cited.filter((event) => parts.every((part) => part.has(event)))
  const named = fitting.filter((event) => parts.some((part) => isNamed(part, event)))
  const goesOn = before === undefined ? [] : fitting.filter((event) => sameThing(event, before) && parts.length > 0)
  const isPurpose = words.includes('for')
  const [owner] = (named.length > 0 && !leadsOn(words, parts) ? named : goesOn).filter(
    (event) => !isPurpose || parts.some((part) => part.get(event)?.has('indication') === true),
  )
  // A cue alone ("is denied") belongs to what stands before it.
  return owner ?? (parts.length === 0 ? (before ?? null) : null)
}

/** "…, for diabetes" goes on with what stands before it, also where it names something. */
const leadsOn = (words: readonly string[], parts: readonly Part[]) =>
  parts.length === 1 && words.length > 0 && words.every((word) => ['for', 'with', 'in', 'on'].includes(word))

const sameThing = (one: RecordedEvent, other: RecordedEvent) =>
  one === other || (one.eventType === other.eventType && one.name.toLowerCase() === other.name.toLowerCase())

function isGathered(told: readonly Told[]): boolean {
  const hasDetail = told.map(({ parts, owner }) => parts.some((part) => !isNamed(part, owner)))
  return told.some(
    ({ owner }, at) =>
      hasDetail[at] !== true &&
      told.some(
        ({ owner: other }, place) =>
          hasDetail[place] === true && other.eventType === owner.eventType && !sameThing(other, owner),
      ),
  )
}

const isNamed = (part: Part, owner: RecordedEvent) => part.get(owner)?.has('name') === true

type Printed = { readonly text: string; readonly part: Part }

/** All that events say as it is printed, the longest first. */
function printedWords(cited: readonly RecordedEvent[]): Printed[] {
  const found = new Map<string, Map<RecordedEvent, Set<PartKind>>>()
  for (const event of cited) {
    for (const [kind, text] of saidBy(event)) {
      const key = text.trim().toLowerCase()
      if (key === '' || /[\p{Cc}\p{Co}]/u.test(key)) continue
      const of = found.get(key) ?? new Map<RecordedEvent, Set<PartKind>>()
      of.set(event, (of.get(event) ?? new Set<PartKind>()).add(kind))
      found.set(key, of)
    }
  }
  return [...found]
    .map(([text, part]) => ({ text, part }))
    .toSorted((one, other) => other.text.length - one.text.length)
}

function saidBy(event: RecordedEvent): (readonly [PartKind, string])[] {
  const { valueText, unit } = event
  // A number alone is not what was measured; its unit belongs to it.
  const value = valueText === null ? [] : unit === null ? [valueText] : [`${valueText} ${unit}`, `${valueText}${unit}`]
  const said: readonly (readonly [PartKind, string | null])[] = [
    ...[event.name, ...otherNamesOf(event)].map((text) => ['name', text] as const),
    ['indication', event.indication],
    ...value.map((text) => ['value', text] as const),
    ['range', event.referenceRange],
    ['flag', event.flag],
    ['detail', event.dose],
    ['detail', event.route],
    ['detail', event.frequency],
    ['reaction', event.reaction],
    ['detail', event.relationship],
    ...datesOf(event).map((text) => ['date', text] as const),
  ]
  return said.flatMap(([kind, text]) => (text === null ? [] : [[kind, text] as const]))
}

/** The ways to write a date, as exact as it is known or less. */
function datesOf({ eventDate }: RecordedEvent): string[] {
  if (eventDate === null) return []
  const [year = '', month, day] = eventDate.split('-')
  const parts = month === undefined ? [year] : [year, `${year}-${month}`]
  const spoken = (day === undefined ? parts : [...parts, eventDate]).flatMap((iso) => [iso, spokenDate(iso)])
  const [number = '', name = ''] = spokenDate(eventDate).split(' ')
  return day === undefined ? spoken : [...spoken, `${name} ${number}, ${year}`]
}

/** Puts marks in place of printed words; a number is never found inside another. */
function mask(text: string, printed: readonly Printed[]): { readonly masked: string; readonly parts: Part[] } {
  const parts: Part[] = []
  const masked = printed.reduce((left, { text: words, part }) => {
    const pattern = new RegExp(
      `(?<![\\p{L}\\p{N}\\uE000]|\\p{N}[.,/-]|[<>≤≥-])${escaped(words)}(?![\\p{L}\\p{N}\\uE000]|[.,/-]\\p{N})`,
      'giu',
    )
    return left.replace(pattern, () => `\uE000${parts.push(part) - 1}\uE000`)
  }, text)
  return { masked, parts }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`).replace(/\s+/g, String.raw`\s+`)
