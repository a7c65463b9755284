export type { RecordedEvent } from '../../db/queries/narratives.ts'

/** What is told and the events that it stands on; one that stands on none is not written. */
export type Sentence = { readonly sentence: string; readonly citedEventIds: readonly string[] }
export type Storyline = { readonly title: string; readonly sentences: readonly Sentence[] }
