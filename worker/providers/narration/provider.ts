/** Who may be asked to tell a record in sentences. What is answered is checked against the events sentence by sentence. */
import { z } from 'zod'
import type { Paid } from '../ai/provider.ts'

/** What is sent of an event: no identifier, no id of ours, and names of people hidden where that is set. What is not known is left out. */
export type SentEvent = Readonly<Record<string, string>> & { readonly id: string }

export type NarrateQuestion = { readonly events: readonly SentEvent[] }

export const toldStories = z.object({
  stories: z.array(
    z.object({
      title: z.string(),
      sentences: z.array(z.object({ text: z.string(), event_ids: z.array(z.string()) })),
    }),
  ),
})
export type ToldStory = z.infer<typeof toldStories>['stories'][number]

/** Each of these was paid for, whether it is of use or not. */
export const narrateOutcome = z.union([
  toldStories.extend({ kind: z.literal('stories') }),
  z.object({ kind: z.enum(['cut_off', 'refused', 'malformed']) }),
])
export type NarrateOutcome = z.infer<typeof narrateOutcome>

export type NarrateAnswer = Paid<NarrateOutcome>

export type Narrator = {
  readonly name: string
  readonly model: string
  readonly promptVersion: string
  /** How much of the service's limits a question will take. */
  estimateTokens(question: NarrateQuestion): number
  narrate(question: NarrateQuestion, options: { readonly signal: AbortSignal }): Promise<NarrateAnswer>
}
