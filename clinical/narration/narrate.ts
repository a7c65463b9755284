/**
 * Storylines by templates, over what is in the record alone. Nothing is claimed beyond its rows: what belongs to a problem
 * is said by the document or by a table, and numbers are told, not judged.
 */
import { eventSentence } from './event-sentence.ts'
import { conditionsOf, isIndicatedFor, isResultOf } from './problem-links.ts'
import type { RecordedEvent, Sentence, Storyline } from './recorded-event.ts'
import { tellEvents, tellWithEarlier, withoutRepeats } from './tell-readings.ts'

export const templateModel = 'templates-2'

/** A file: its problems with what belongs to them, then the rest by kind. `readings` are those of the whole record. */
export function narrateFile(events: readonly RecordedEvent[], readings: readonly RecordedEvent[]): Storyline[] {
  const stories = problemsOf(events)
    .map((problem) => problemStory(problem, events, (found) => tellWithEarlier(found, readings, Infinity)))
    .filter((story) => story.sentences.length > 1)
  return withRest(stories, events, (found) => tellWithEarlier(found, readings, 1))
}

/** A person: each problem has its story, also where nothing else belongs to it. */
export function narrateRecord(events: readonly RecordedEvent[]): Storyline[] {
  const stories = problemsOf(events).map((problem) => problemStory(problem, events, tellEvents))
  return withRest(stories, events, tellEvents)
}

type Tell = (events: readonly RecordedEvent[]) => Sentence[]

function withRest(stories: readonly Storyline[], events: readonly RecordedEvent[], tell: Tell): Storyline[] {
  const told = new Set(stories.flatMap((story) => story.sentences).flatMap((sentence) => sentence.citedEventIds))
  return [
    ...stories,
    ...tellByKind(
      events.filter((event) => !told.has(event.id)),
      tell,
    ),
  ]
}

function tellByKind(events: readonly RecordedEvent[], tell: Tell): Storyline[] {
  return chapters
    .map(({ title, holds }) => ({
      title,
      sentences: tell(events.filter((event) => holds(event) && isChapterOf(title, event))),
    }))
    .filter((story) => story.sentences.length > 0)
}

/** What is denied stands in a chapter of its own, but for allergies: that there are none belongs among them. */
const isChapterOf = (title: string, event: RecordedEvent) =>
  event.assertion !== 'negated' || event.eventType === 'allergy' || title === deniedTitle

const deniedTitle = 'Said not to be there'
const isPresent = (event: RecordedEvent) => event.assertion === 'present'
const isProblem = (event: RecordedEvent) => event.eventType === 'condition' && isPresent(event)

const chapters: readonly { readonly title: string; readonly holds: (event: RecordedEvent) => boolean }[] = [
  { title: 'Problems', holds: isProblem },
  {
    title: 'Symptoms and findings',
    holds: (event) => isPresent(event) && ['symptom', 'physical_finding'].includes(event.eventType),
  },
  { title: 'Medicines', holds: (event) => event.eventType === 'medication' },
  { title: 'Allergies', holds: (event) => event.eventType === 'allergy' },
  { title: 'Results', holds: (event) => ['lab_result', 'imaging_result'].includes(event.eventType) },
  { title: 'Measurements', holds: (event) => event.eventType === 'vital_sign' },
  { title: 'Procedures', holds: (event) => event.eventType === 'procedure' },
  { title: 'Immunisations', holds: (event) => event.eventType === 'immunization' },
  { title: 'Family', holds: (event) => event.eventType === 'family_history' },
  { title: 'Life', holds: (event) => event.eventType === 'social_history' },
  {
    title: 'In the past, or not certain',
    holds: (event) =>
      ['condition', 'symptom', 'physical_finding'].includes(event.eventType) &&
      ['historical', 'uncertain', 'hypothetical'].includes(event.assertion),
  },
  {
    title: deniedTitle,
    holds: (event) => event.assertion === 'negated' && event.eventType !== 'allergy',
  },
]

/** The heading as we write it, if it is one of a chapter that holds all of these events; null otherwise. */
export function chapterOf(title: string, events: readonly RecordedEvent[]): string | null {
  const chapter = chapters.find((each) => each.title.toLowerCase() === title.trim().toLowerCase())
  if (chapter === undefined || !events.every(chapter.holds)) return null
  return events.every((event) => isChapterOf(chapter.title, event)) ? chapter.title : null
}

/** A problem in all its mentions: what a row of the table, a code or a name says to be the same. */
type Problem = readonly [RecordedEvent, ...RecordedEvent[]]

function problemsOf(events: readonly RecordedEvent[]): Problem[] {
  const groups = Map.groupBy(events.filter(isProblem), problemKey)
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [[first, ...others] as const],
  )
}

function problemKey(event: RecordedEvent): string {
  const [id, ...others] = conditionsOf(event)
  if (id !== undefined && others.length === 0) return `row ${id}`
  // One code may stand for several problems; then they are the same only by name.
  return event.code === null || others.length > 0
    ? `name ${event.name.toLowerCase()}`
    : `code ${event.codeSystem} ${event.code}`
}

function problemStory(problem: Problem, events: readonly RecordedEvent[], tellResults: Tell): Storyline {
  const [first] = problem
  const medicines = events.filter(
    (event) => event.eventType === 'medication' && isPresent(event) && isIndicatedFor(event, first),
  )
  const results = events.filter((event) => mayBelong(event) && isResultOf(event, first))
  return {
    title: first.name,
    sentences: withoutRepeats([
      ...problem.map((event) => ({ sentence: eventSentence(event), citedEventIds: [event.id] })),
      ...medicines.map((medicine) => ({
        sentence: `${eventSentence(medicine)} What it is for, as printed: ${medicine.indication ?? ''}.`,
        citedEventIds: [medicine.id],
      })),
      ...tellResults(results),
    ]),
  }
}

/** What is denied, planned or in doubt is told by its kind, not as part of a problem. */
const mayBelong = (event: RecordedEvent) =>
  ['lab_result', 'vital_sign', 'procedure'].includes(event.eventType) &&
  (isPresent(event) || (event.eventType === 'procedure' && event.assertion === 'historical'))
