import { z } from 'zod'
import type { Tx } from '../../db/actor.ts'
import { factsOfEvents, type ToldNarrative } from '../../db/queries/narratives.ts'
import { idField } from './fields.ts'

export const narrativeSchema = z
  .object({
    title: z.string(),
    model: z.string().describe('What wrote it: `templates-…`, or the model that was asked.'),
    sentences: z.array(
      z.object({
        sentence: z.string(),
        fact_ids: z
          .array(idField)
          .describe('Of facts in `document_ids`, as far as you may see them; each leads to its places on the page.'),
        event_ids: z.array(idField).min(1),
        document_ids: z.array(idField),
      }),
    ),
  })
  .meta({ title: 'Narrative' })
export const narrativeListSchema = z.object({ narratives: z.array(narrativeSchema) })

/** With each sentence the facts that it stands on, and the documents that they stand in. */
export async function presentNarratives(
  tx: Tx,
  stories: readonly ToldNarrative[],
): Promise<z.output<typeof narrativeListSchema>> {
  const cited = stories.flatMap((story) => story.sentences.flatMap((each) => each.citedEventIds))
  const facts = Map.groupBy(await factsOfEvents(tx, [...new Set(cited)]), (fact) => fact.eventId)
  return {
    narratives: stories.map(({ title, model, sentences }) => ({
      title,
      model,
      sentences: sentences.map(({ sentence, citedEventIds }) => {
        const behind = citedEventIds.flatMap((id) => facts.get(id) ?? [])
        return {
          sentence,
          fact_ids: behind.map((fact) => fact.id),
          event_ids: [...citedEventIds],
          document_ids: [...new Set(behind.map((fact) => fact.documentId))],
        }
      }),
    })),
  }
}
