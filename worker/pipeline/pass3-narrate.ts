/**
 * Pass 3 by templates: storylines over the admitted facts of a file and what the record knows around them. Each sentence
 * names the events that it stands on; one that stands on none is not written.
 */
import type { RecordRow } from '../../db/queries/narratives.ts'
import { eventSentence } from './event-sentence.ts'

/** Changes when the same events may be told otherwise. */
export const narrateVersion = '1'
export const templateModel = 'templates-1'

export type Sentence = { readonly sentence: string; readonly citedEventIds: readonly string[] }
export type Storyline = { readonly title: string; readonly sentences: readonly Sentence[] }

export function narrate(events: readonly RecordRow[], readings: readonly RecordRow[]): Storyline[] {
  const problems = events.filter(isProblem)
  const linked = problems.map((problem) => problemStory(problem, events)).filter((story) => story.sentences.length > 1)
  const told = new Set(linked.flatMap((story) => story.sentences).flatMap((sentence) => sentence.citedEventIds))
  const rest = chapters.map(({ title, holds }) => ({
    title,
    sentences: events
      .filter((event) => holds(event) && !told.has(event.id) && isChapterOf(title, event))
      .map((event) => tell(event, readings)),
  }))
  return [...linked, ...rest].map(onlyCited).filter((story) => story.sentences.length > 0)
}

/** What is denied stands in a chapter of its own, but for allergies: that there are none belongs among them. */
const isChapterOf = (title: string, event: RecordRow) =>
  event.assertion !== 'negated' || event.eventType === 'allergy' || title === deniedTitle

const deniedTitle = 'Said not to be there'
const isPresent = (event: RecordRow) => event.assertion === 'present'
const isProblem = (event: RecordRow) => event.eventType === 'condition' && isPresent(event)

const chapters: readonly { readonly title: string; readonly holds: (event: RecordRow) => boolean }[] = [
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

/** A problem with the medicines that the document itself says are for it; nothing is linked by guessing. */
function problemStory(problem: RecordRow, events: readonly RecordRow[]): Storyline {
  const medicines = events.filter(
    (event) => event.eventType === 'medication' && event.assertion === 'present' && isFor(event, problem),
  )
  return {
    title: problem.name,
    sentences: [
      tell(problem, []),
      ...medicines.map((medicine) => ({
        sentence: `${eventSentence(medicine)} The document gives it for ${problem.name}.`,
        citedEventIds: [medicine.id, problem.id],
      })),
    ],
  }
}

function isFor(medicine: RecordRow, problem: RecordRow): boolean {
  const indication = new Set(words(medicine.indication ?? ''))
  const name = words(problem.name)
  return name.length > 0 && name.every((word) => indication.has(word))
}

function tell(event: RecordRow, readings: readonly RecordRow[]): Sentence {
  const before = readings.findLast((reading) => isEarlierReading(reading, event))
  if (before === undefined) return { sentence: eventSentence(event), citedEventIds: [event.id] }
  return {
    sentence: `${eventSentence(event)} Before that, ${lowerFirst(eventSentence(before))}`,
    citedEventIds: [event.id, before.id],
  }
}

function isEarlierReading(reading: RecordRow, event: RecordRow): boolean {
  return (
    reading.id !== event.id &&
    reading.code !== null &&
    reading.code === event.code &&
    reading.unit === event.unit &&
    reading.assertion === 'present' &&
    reading.eventDate !== null &&
    event.eventDate !== null &&
    reading.eventDate < event.eventDate
  )
}

const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/** "HbA1c" and other names with capitals inside keep their first letter. */
const lowerFirst = (text: string) =>
  /^\p{Lu}\p{Ll}+\b/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

const onlyCited = (story: Storyline): Storyline => ({
  ...story,
  sentences: story.sentences.filter((sentence) => sentence.citedEventIds.length > 0),
})
