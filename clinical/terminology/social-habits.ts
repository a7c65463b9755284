/** What people say of smoking, vaping, alcohol and drugs. */
import { buildLexicon, exactly } from './lexicon.ts'
import { once, readTable } from './read-table.ts'

export const habitTopics = ['tobacco', 'vaping', 'alcohol', 'drugs'] as const
export type HabitTopic = (typeof habitTopics)[number]

export type Habit = {
  readonly topic: HabitTopic
  /** What the words themselves say ("ex-smoker"); null where only what stands around them tells. */
  readonly status: 'negated' | 'historical' | null
  /** "Wine", "cocaine": something else outside of a section on how somebody lives. */
  readonly isInSection: boolean
}

export const habitLexicon = once(() =>
  exactly(
    buildLexicon(
      readTable('social_habits', ['words', 'topic', 'status', 'in_section']).map((row) => ({
        text: row.words,
        meaning: { topic: topicOf(row.topic), status: statusOf(row.status), isInSection: row.in_section === 'Y' },
        isAmbiguous: false,
      })),
    ),
  ),
)

function topicOf(text: string): HabitTopic {
  const topic = habitTopics.find((known) => known === text)
  if (!topic) throw new Error(`Unknown habit ${text}`)
  return topic
}

function statusOf(text: string): Habit['status'] {
  if (text === 'negated' || text === 'historical') return text
  if (text === '') return null
  throw new Error(`Unknown status of a habit ${text}`)
}
