/**
 * Whether a sentence that a model wrote says nothing but what the events say that it cites. It is taken apart into clauses;
 * what a clause tells (names, values, dates, doses, printed words) must stand whole in one of these events, and what is left
 * must be words of a short list that claim nothing. What is not understood is refused.
 */
import { otherNamesOf } from './problem-links.ts'
import type { RecordedEvent } from './recorded-event.ts'
import { spokenDate } from './event-sentence.ts'
import { isConnecting, statusOfCue, statusOf, type ToldStatus } from './narrative-words.ts'

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
  if (told === null) return dropped('says_more')
  if (!saysStatus(clauses, told, status)) return dropped('says_other_status')
  const names = clauses.flatMap((clause, at) => clause.parts.flatMap((part) => nameOf(part, told[at])))
  if (names.length === 0) return dropped('names_nothing')
  return { kind: 'kept', citedEventIds: cited.flatMap(({ id }) => (told.some((owner) => owner.id === id) ? [id] : [])) }
}

/** Whether a title names nothing but one of the events that its sentences tell. */
export function isNameOf(title: string, event: RecordedEvent): boolean {
  const wanted = title.trim().toLowerCase()
  return [event.name, ...otherNamesOf(event)].some((name) => name.toLowerCase() === wanted)
}

type PartKind = 'name' | 'indication' | 'detail'
/** Printed words of events, and how each of them has them. */
type Part = ReadonlyMap<RecordedEvent, ReadonlySet<PartKind>>
type Clause = { readonly parts: readonly Part[]; readonly words: readonly string[] }

// A mark of ours, which no text may hold.
const placeholder = /\uE000(\d+)\uE000/gu

/** null: there are words in it that no event has and that are not of the list. */
function clausesOf(text: string, cited: readonly RecordedEvent[]): Clause[] | null {
  const { masked, parts } = mask(text, printedWords(cited))
  const clauses: Clause[] = []
  for (const piece of masked.split(/[;:.]\s|[,;:.]|\band\b|\bthen\b/iu)) {
    const found = Array.from(piece.matchAll(placeholder)).flatMap(([, at = '']) => parts[Number(at)] ?? [])
    const rest = piece.replace(placeholder, ' ').toLowerCase()
    if (/[^\p{L}\s()'’“”"–-]/u.test(rest)) return null
    const words = rest.match(/\p{L}+(?:['’]\p{L}+)?/gu) ?? []
    if (words.some((word) => !isConnecting(word) && statusOfCue(word) === null)) return null
    // "Was" between two commas tells nothing.
    if (found.length === 0 && words.every((word) => isConnecting(word))) continue
    clauses.push({ parts: found, words })
  }
  return clauses
}

/**
 * The event that each clause stands on. A clause without a name goes on with what the one before it named. What is gathered
 * ("potassium and sodium were 4.1") would say more of the first than stands there.
 */
function ownersOf(clauses: readonly Clause[], cited: readonly RecordedEvent[]): RecordedEvent[] | null {
  const owners: RecordedEvent[] = []
  for (const { parts, words } of clauses) {
    const before = owners.at(-1)
    const fitting = cited.filter((event) => parts.every((part) => part.has(event)))
    const named = fitting.filter((event) => parts.some((part) => part.get(event)?.has('name') === true))
    const goesOn = before === undefined ? [] : fitting.filter((event) => sameThing(event, before) && parts.length > 0)
    const isPurpose = words.includes('for')
    const candidates = (named.length > 0 && !leadsOn(words, parts) ? named : goesOn).filter(
      (event) => !isPurpose || parts.some((part) => part.get(event)?.has('indication') === true),
    )
    const [owner] = candidates
    if (owner !== undefined) owners.push(owner)
    // A cue alone ("is denied") belongs to what stands before it.
    else if (before !== undefined && parts.length === 0) owners.push(before)
    else return null
  }
  return owners.length === 0 || isGathered(clauses, owners) ? null : owners
}

/** "…, for diabetes" goes on with what stands before it, also where it names something. */
const leadsOn = (words: readonly string[], parts: readonly Part[]) =>
  parts.length === 1 && words.length > 0 && words.every((word) => ['for', 'with', 'in', 'on'].includes(word))

const sameThing = (one: RecordedEvent, other: RecordedEvent) =>
  one === other || (one.eventType === other.eventType && one.name.toLowerCase() === other.name.toLowerCase())

function isGathered(clauses: readonly Clause[], owners: readonly RecordedEvent[]): boolean {
  const details = owners.map((owner, at) => clauses[at]?.parts.some((part) => isDetail(part, owner)) ?? false)
  return owners.some(
    (owner, at) =>
      details[at] !== true &&
      owners.some(
        (other, place) => details[place] === true && other.eventType === owner.eventType && !sameThing(other, owner),
      ),
  )
}

const isDetail = (part: Part, owner: RecordedEvent) => part.get(owner)?.has('name') !== true
const nameOf = (part: Part, owner: RecordedEvent | undefined) =>
  owner !== undefined && part.get(owner)?.has('name') === true ? [owner] : []

/** Each thing that is named must be said to be what it is, and nothing may be said to be otherwise. */
function saysStatus(clauses: readonly Clause[], owners: readonly RecordedEvent[], status: ToldStatus): boolean {
  const cues = clauses.map(({ words }) => words.flatMap((word) => statusOfCue(word) ?? []))
  if (cues.flat().some((cue) => cue !== status)) return false
  if (status === 'present') return true
  const things = [...Map.groupBy(owners.keys(), (at) => owners[at]?.name.toLowerCase()).values()]
  return things.every((places) => places.some((at) => (cues[at]?.length ?? 0) > 0))
}

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
  const details = [
    ...value,
    event.referenceRange,
    event.flag,
    event.dose,
    event.route,
    event.frequency,
    event.reaction,
    event.relationship,
    ...datesOf(event),
  ].filter((text) => text !== null)
  return [
    ...[event.name, ...otherNamesOf(event)].map((text) => ['name', text] as const),
    ...(event.indication === null ? [] : [['indication', event.indication] as const]),
    ...details.map((text) => ['detail', text] as const),
  ]
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
