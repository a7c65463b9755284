/** Readings of one test over time, told as they are printed: no word of better or worse, and none is left out. */
import { eventSentence, on, value } from './event-sentence.ts'
import type { RecordedEvent, Sentence } from './recorded-event.ts'

const mostInASentence = 12

/** Events that are no reading are told one by one; readings of the same test in the same unit are told together. */
export function tellEvents(events: readonly RecordedEvent[]): Sentence[] {
  const groups = Map.groupBy(events, (event) => (isReading(event) ? sameTest(event) : `one ${event.id}`))
  return withoutRepeats([...groups.values()].flatMap((group) => tellSeries(group, '')))
}

/**
 * The same, and what the record knows from before, in sentences of their own: what this file says is told also when the
 * file of an earlier reading lies in the bin.
 */
export function tellWithEarlier(
  events: readonly RecordedEvent[],
  known: readonly RecordedEvent[],
  mostEarlier: number,
): Sentence[] {
  const groups = Map.groupBy(events, (event) => (isReading(event) ? sameTest(event) : `one ${event.id}`))
  return withoutRepeats(
    [...groups.values()].flatMap((group) => {
      const earlier = earlierThan(group, known).slice(-mostEarlier)
      return [...tellSeries(group, ''), ...tellSeries(earlier, 'Before that, ')]
    }),
  )
}

function earlierThan(group: readonly RecordedEvent[], known: readonly RecordedEvent[]): RecordedEvent[] {
  const own = new Set(group.map((event) => event.id))
  const dated = group.filter((event) => event.eventDate !== null)
  const [first] = group
  if (first === undefined || dated.length === 0 || first.code === null || !isReading(first)) return []
  return known.filter(
    (reading) =>
      !own.has(reading.id) &&
      isReading(reading) &&
      sameTest(reading) === sameTest(first) &&
      dated.every((event) => isBefore(reading.eventDate, event.eventDate)),
  )
}

/** Told only where it is sure: March 2020 is not before 4 March 2020. */
function isBefore(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return false
  const length = Math.min(one.length, other.length)
  return one.slice(0, length) < other.slice(0, length)
}

const isReading = (event: RecordedEvent) =>
  ['lab_result', 'vital_sign'].includes(event.eventType) && event.assertion === 'present' && event.valueText !== null

const sameTest = (event: RecordedEvent) =>
  `${event.code === null ? `name ${event.name.toLowerCase()}` : `${event.codeSystem} ${event.code}`} ${event.unit ?? ''}`

function tellSeries(series: readonly RecordedEvent[], opening: string): Sentence[] {
  const last = series.at(-1)
  if (last === undefined) return []
  if (series.length === 1) return [{ sentence: open(opening, eventSentence(last)), citedEventIds: [last.id] }]
  const { name } = last
  return chunksOf(series).map((part) => ({
    sentence: open(opening, `${name.charAt(0).toUpperCase()}${name.slice(1)}: ${part.map(tellReading).join('; ')}.`),
    citedEventIds: part.map((event) => event.id),
  }))
}

function tellReading(event: RecordedEvent): string {
  const beside = [
    event.referenceRange === null ? [] : [`printed range ${event.referenceRange}`],
    event.flag === null ? [] : [`printed mark ${event.flag}`],
  ].flat()
  const date = on(event) === '' ? ', no date' : on(event)
  return `${value(event)}${date}${beside.length === 0 ? '' : ` (${beside.join(', ')})`}`
}

function chunksOf(series: readonly RecordedEvent[]): RecordedEvent[][] {
  const count = Math.ceil(series.length / mostInASentence)
  return Array.from({ length: count }, (_, at) => series.slice(at * mostInASentence, (at + 1) * mostInASentence))
}

const open = (opening: string, text: string) => (opening === '' ? text : `${opening}${lowerFirst(text)}`)

/** "HbA1c" and other names with capitals inside keep their first letter. */
const lowerFirst = (text: string) =>
  /^\p{Lu}\p{Ll}+\b/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

/** What several events say in the same words is said once, on all of them. */
export function withoutRepeats(sentences: readonly Sentence[]): Sentence[] {
  const told = Map.groupBy(sentences, (each) => each.sentence)
  return [...told].map(([sentence, all]) => ({
    sentence,
    citedEventIds: [...new Set(all.flatMap((each) => each.citedEventIds))],
  }))
}
