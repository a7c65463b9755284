/**
 * What a model is given to tell a file's events, and what of its answer is taken: each sentence only if it says what its
 * events say (`clinical/narration/check-sentence.ts`), and under a problem only what belongs to it.
 */
import { checkSentence, isNameOf, type SentenceRefusal } from '../../clinical/narration/check-sentence.ts'
import { chapterOf } from '../../clinical/narration/narrate.ts'
import { conditionsOf, isIndicatedFor, isResultOf } from '../../clinical/narration/problem-links.ts'
import type { RecordedEvent, Sentence, Storyline } from '../../clinical/narration/recorded-event.ts'
import type { NarrateQuestion, SentEvent, ToldStory } from '../providers/narration/provider.ts'

/** Whose events they are: nothing that names them is sent. */
export type Person = { readonly names: readonly string[]; readonly bornOn: string | null }

export type Asking = {
  readonly question: NarrateQuestion
  /** By the short ids that are sent in place of ours. */
  readonly events: ReadonlyMap<string, RecordedEvent>
}

const mostEvents = 120

/** What is not sent, because it names somebody or is too much for one question, is told by templates. */
export function askingAbout(events: readonly RecordedEvent[], person: Person): Asking {
  const sent = events.filter((event) => !namesPerson(event, person)).slice(0, mostEvents)
  const keyed = sent.map((event, at) => [`e${at + 1}`, event] as const)
  return { question: { events: keyed.map(([key, event]) => sentEvent(key, event)) }, events: new Map(keyed) }
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

const titled = /\b(?:dr|prof|mr|mrs|ms|miss|doctor|nurse)\b\.?\s+\p{Lu}/iu
const numbered = /\d{6,}|@|https?:/u

/** Rather one too many: the name of the person, of somebody with a title, their birthday, long numbers, addresses. */
function namesPerson(event: RecordedEvent, { names, bornOn }: Person): boolean {
  if (bornOn !== null && event.eventDate === bornOn) return true
  const printed = [
    event.name,
    event.valueText,
    event.dose,
    event.frequency,
    event.indication,
    event.reaction,
    event.relationship,
  ].filter((text) => text !== null)
  const nameWords = new Set(names.flatMap(wordsOf).filter((word) => word.length > 1))
  return printed.some(
    (text) => titled.test(text) || numbered.test(text) || wordsOf(text).some((word) => nameWords.has(word)),
  )
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []

export type DropReason = SentenceRefusal | 'belongs_elsewhere'

export type ModelTold = {
  readonly stories: readonly Storyline[]
  readonly kept: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  /** Half of it or more may be shown: a model of which most is dropped has not understood what it was asked. */
  readonly isEnough: boolean
}

export function takeStories(told: readonly ToldStory[], events: ReadonlyMap<string, RecordedEvent>): ModelTold {
  const dropped = new Map<DropReason, number>()
  const byId = new Map([...events.values()].map((event) => [event.id, event]))
  const stories = told
    .map((story) => {
      const checked = story.sentences.flatMap(({ text, event_ids: keys }) => {
        const sentence = taken(text.trim(), keys, events)
        return typeof sentence === 'string' ? note(dropped, sentence) : [sentence]
      })
      return underTitle(story.title, checked, byId, dropped)
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
