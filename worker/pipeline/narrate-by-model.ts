/**
 * What a model is given to tell a file's events, and what of its answer is taken: each sentence only if it says what its
 * events say (`clinical/narration/check-sentence.ts`), and under a problem only what belongs to it.
 */
import { checkSentence, isNameOf, type SentenceRefusal } from '../../clinical/narration/check-sentence.ts'
import { chapterOf } from '../../clinical/narration/narrate.ts'
import { conditionsOf, isIndicatedFor, isResultOf } from '../../clinical/narration/problem-links.ts'
import type { RecordedEvent, Sentence, Storyline } from '../../clinical/narration/recorded-event.ts'
import { identifyingIn } from '../../clinical/identity/identifying-ranges.ts'
import { hideRanges } from './sent-text.ts'
import type { NarrateQuestion, SentEvent, ToldStory } from '../providers/narration/provider.ts'

/** Whose events they are. */
export type Person = { readonly names: readonly string[]; readonly bornOn: string | null }

export type Asking = {
  readonly question: NarrateQuestion
  /** By the short ids that are sent in place of ours. */
  readonly events: ReadonlyMap<string, RecordedEvent>
  /** The same as they are sent: what names somebody is hidden. */
  readonly shown: ReadonlyMap<string, RecordedEvent>
}

const mostEvents = 120

/** `hidden`: who is not to be named outside; null where nothing is hidden. What is too much for one question, templates tell. */
export function askingAbout(events: readonly RecordedEvent[], hidden: Person | null): Asking {
  // A date cannot be hidden in all the ways that it may be written: templates tell what is of the day of birth.
  const bornOn = hidden?.bornOn ?? null
  const sent = events.filter(({ eventDate }) => bornOn === null || eventDate !== bornOn)
  const keyed = sent.slice(0, mostEvents).map((event, at) => [`e${at + 1}`, event] as const)
  const shown = keyed.map(([key, event]) => [key, hidden === null ? event : withoutNames(event, hidden.names)] as const)
  return {
    question: { events: shown.map(([key, event]) => sentEvent(key, event)) },
    events: new Map(keyed),
    shown: new Map(shown),
  }
}

const worded = ['name', 'valueText', 'dose', 'route', 'frequency', 'indication', 'reaction', 'relationship'] as const

/** Words of the same shape stand in place of those that name somebody, as in what pass 1 sends. */
function withoutNames(event: RecordedEvent, names: readonly string[]): RecordedEvent {
  const changes = worded.flatMap((field) => {
    const text = event[field]
    return text === null || !/\p{L}|\d{6}/u.test(text)
      ? []
      : [[field, hideRanges(text, identifyingIn(text, names))] as const]
  })
  return { ...event, ...Object.fromEntries(changes) }
}

function sentEvent(id: string, event: RecordedEvent): SentEvent {
  const fields = {
    type: event.eventType,
    status: event.assertion,
    clinical_status: event.clinicalStatus,
    name: event.name,
    value: event.valueText,
    unit: event.unit,
    range: event.referenceRange,
    flag: event.flag,
    date: event.eventDate,
    dose: event.dose,
    route: event.route,
    frequency: event.frequency,
    indication: event.indication,
    reaction: event.reaction,
    relationship: event.relationship,
  }
  const known = Object.entries(fields).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]))
  return { id, ...Object.fromEntries(known) }
}

export type DropReason = SentenceRefusal | 'belongs_elsewhere' | 'names_unclear'

export type ModelTold = {
  readonly stories: readonly Storyline[]
  readonly kept: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  /** Half of it or more may be shown: a model of which most is dropped has not understood what it was asked. */
  readonly isEnough: boolean
}

export function takeStories(
  told: readonly ToldStory[],
  { events, shown }: Pick<Asking, 'events' | 'shown'>,
): ModelTold {
  const dropped = new Map<DropReason, number>()
  const byId = new Map([...shown.values()].map((event) => [event.id, event]))
  const printed = new Map([...events.values()].map((event) => [event.id, event]))
  const stories = told
    .map((story) => {
      const checked = story.sentences.flatMap(({ text, event_ids: keys }) => {
        const sentence = taken(text.trim(), keys, shown)
        return typeof sentence === 'string' ? note(dropped, sentence) : [sentence]
      })
      const under = underTitle(story.title, checked, byId, dropped)
      const sentences = under.sentences.flatMap((sentence) => {
        const named = withNames(sentence.sentence, sentence.citedEventIds, byId, printed)
        return named === null ? note(dropped, 'names_unclear') : [{ ...sentence, sentence: named }]
      })
      const cited = sentences.flatMap(({ citedEventIds }) => citedEventIds)
      return { title: withNames(under.title, cited, byId, printed) ?? plainTitle, sentences }
    })
    .filter((story) => story.sentences.length > 0)
  const kept = stories.reduce((sum, story) => sum + story.sentences.length, 0)
  const asked = told.reduce((sum, story) => sum + story.sentences.length, 0)
  return { stories, kept, dropped: Object.fromEntries(dropped), isEnough: kept > 0 && kept * 2 >= asked }
}

function taken(
  text: string,
  keys: readonly string[],
  events: ReadonlyMap<string, RecordedEvent>,
): Sentence | SentenceRefusal {
  const checked = checkSentence(text, keys, events)
  return checked.kind === 'dropped' ? checked.why : { sentence: text, citedEventIds: checked.citedEventIds }
}

/** What was hidden is put back as it is printed; null where two people would stand behind the same signs. */
function withNames(
  text: string,
  ids: readonly string[],
  shown: ReadonlyMap<string, RecordedEvent>,
  printed: ReadonlyMap<string, RecordedEvent>,
): string | null {
  const names = new Map<string, string>()
  for (const id of ids)
    for (const field of worded) {
      const [sign, name] = [shown.get(id)?.[field] ?? null, printed.get(id)?.[field] ?? null]
      if (sign === null || name === null || sign === name || !text.toLowerCase().includes(sign.toLowerCase())) continue
      if ((names.get(sign) ?? name) !== name) return null
      names.set(sign, name)
    }
  return [...names].reduce(
    (told, [sign, name]) => told.replaceAll(new RegExp(RegExp.escape(sign), 'giu'), () => name),
    text,
  )
}

function note(dropped: Map<DropReason, number>, why: DropReason): [] {
  dropped.set(why, (dropped.get(why) ?? 0) + 1)
  return []
}

/** A heading says something of all that stands under it, so it must be true of each. */
function underTitle(
  title: string,
  sentences: readonly Sentence[],
  byId: ReadonlyMap<string, RecordedEvent>,
  dropped: Map<DropReason, number>,
): Storyline {
  const told = (sentence: Sentence) => sentence.citedEventIds.flatMap((id) => byId.get(id) ?? [])
  const all = sentences.flatMap(told)
  const problem = all.find(
    (event) => event.eventType === 'condition' && event.assertion === 'present' && isNameOf(title, event),
  )
  if (problem === undefined) return { title: chapterOf(title, all) ?? plainTitle, sentences }
  return {
    title: problem.name,
    sentences: sentences.flatMap((sentence) =>
      told(sentence).every((event) => belongsTo(event, problem)) ? [sentence] : note(dropped, 'belongs_elsewhere'),
    ),
  }
}

const plainTitle = 'What the document says'

function belongsTo(event: RecordedEvent, problem: RecordedEvent): boolean {
  if (event === problem) return true
  if (event.eventType === 'medication') return isIndicatedFor(event, problem)
  if (event.eventType !== 'condition') return isResultOf(event, problem)
  const ids = conditionsOf(problem)
  return isNameOf(event.name, problem) || (ids.length === 1 && conditionsOf(event).join() === ids.join())
}
