import { z } from 'zod'
import { fileStatuses, reviewStates, stages, stageStatuses } from '../../../db/schema/documents.ts'
import { confidences, factReviews, factStatuses, factTypes, reviewStatuses } from '../../../db/schema/facts.ts'
import { boxField, dateField, idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

export const pageParams = z.object({ id: idField, n: z.coerce.number().int().min(1).max(100_000) })
export const documentListQuery = z.object({ patient_id: idField, ...pageOfList })

const stageError = z.object({ code: z.string(), message: z.string().describe('Safe to show to a patient.') })

export const stageSchema = z
  .object({
    stage: z.enum(stages),
    status: z.enum(stageStatuses),
    started_at: timeField.nullable(),
    finished_at: timeField.nullable(),
    pages_done: z.int().nullable(),
    pages_total: z.int().nullable(),
    error: stageError.nullable(),
    notices: z.array(stageError).describe('What a person should know of a document that was taken: safe to show.'),
  })
  .meta({ title: 'Stage' })

const documentHead = {
  id: idField,
  patient_id: idField,
  filename: z.string(),
  mime_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  status: z.enum(fileStatuses).describe('Derived from the stages.'),
  review_state: z.enum(reviewStates),
  document_class: z.string().nullable(),
  document_date: dateField.nullable(),
  page_count: z.int().nullable(),
  quality_grade: z.string().nullable(),
  note: z.string().nullable(),
  processing_error: z.looseObject({ stage: z.string(), code: z.string(), message: z.string() }).nullable(),
  created_at: timeField,
  updated_at: timeField,
}

export const documentListSchema = z.object({
  documents: z.array(z.object(documentHead).meta({ title: 'DocumentHead' })),
  next_cursor: nextCursorField,
})

export const identityReviewSchema = z.object({
  id: idField,
  status: z.enum(reviewStatuses),
  reasons: z.array(z.string()),
  decided_at: timeField.nullable(),
})

export const documentSchema = z
  .object({
    ...documentHead,
    stages: z.array(stageSchema),
    identity_review: identityReviewSchema
      .nullable()
      .describe('Set where the name or date of birth in the document made somebody ask.'),
  })
  .meta({ title: 'Document' })

export const pageListSchema = z.object({
  pages: z.array(
    z
      .object({
        page: z.int(),
        width_pt: z.number(),
        height_pt: z.number(),
        rotation: z.int().describe('Quarter turns clockwise, in degrees, that made the stored page upright.'),
        source: z.string(),
        engine: z.string(),
        quality: z.object({ grade: z.string(), reason: z.string().nullable() }),
        word_count: z.int(),
      })
      .meta({ title: 'Page' }),
  ),
})

export const wordsQuery = z.object({
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Words or a phrase: only the words of the places where it stands. Case and accents do not matter.'),
})
export const wordListSchema = z.array(
  z
    .object({
      text: z.string(),
      confidence: z.number(),
      box: boxField,
      match: z.int().optional().describe('With `q`: which place the word belongs to, from 0.'),
    })
    .meta({ title: 'Word' }),
)

export const textQuery = z.object({
  version: z.coerce.number().int().min(1).optional().describe('The newest, if left out.'),
})
export const textSchema = z
  .object({ version: z.int(), text: z.string().describe('Pages end with a form feed; facts point into it.') })
  .meta({ title: 'DocumentText' })

const factSource = z.object({
  page: z.int(),
  box: boxField,
  quote: z.string(),
  start: z.int().describe('UTF-16 code units into the text'),
  length: z.int(),
  text_version: z.int().describe('Of the text that `start` and `length` count in: `GET /documents/:id/text?version=`.'),
  fact_id: idField.describe('Of the mention that stands here; of one thing there may be several.'),
})

const factWords = {
  text: z.string(),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  reference_range: z.string().nullable(),
  date: z.string().nullable().describe('ISO 8601, as exact as printed: it may be a year alone.'),
  status: z.enum(factStatuses),
  detail: z.record(z.string(), z.string()).describe('What is particular to the type: dose, route, laterality, …'),
}

export const factSchema = z
  .object({
    id: idField,
    type: z.enum(factTypes),
    ...factWords,
    code: z.object({ system: z.string(), code: z.string(), display: z.string() }).nullable(),
    confidence: z.enum(confidences),
    reason: z.string().nullable(),
    review: z.enum(factReviews).describe('`rejected` as well where a person said that the document is not theirs.'),
    version: z.string().describe('Another one after every change; whoever decides says which one they saw.'),
    decision_id: idField.nullable().describe('The last decision of a person that stands.'),
    as_found: z.object(factWords).nullable().describe('What was found, where a person has corrected it.'),
    held: z
      .boolean()
      .describe('Waits for a person to say whose the document is, and is not part of the record until then.'),
    in_record: z.boolean().describe('Part of the record; `reason` says why a fact is not.'),
    is_separate: z.boolean().describe('A person said that it is not the same as what others say.'),
    also_in: z
      .array(z.object({ document_id: idField, fact_id: idField }))
      .describe('Other documents that the record takes to say the same, newest first; at most 20.'),
    sources: z.array(factSource).describe('Empty where a person entered the fact and named no words.'),
    found_by: z.object({
      pass: z.int(),
      provider: z.string(),
      model: z.string(),
      prompt_version: z.string().nullable(),
    }),
  })
  .meta({ title: 'Fact' })
export const factListSchema = z.object({ facts: z.array(factSchema) })

/** Others are drawn each time: there are three thousand. */
export const keptWidths: readonly number[] = [160, 320, 640, 1_240, 2_480]

export const imageQuery = z.object({
  width: z.coerce
    .number()
    .int()
    .min(64)
    .max(3_000)
    .default(1_240)
    .describe(`In pixels. Drawn once and kept: ${keptWidths.join(', ')}; any other is drawn when it is asked for.`),
})
export const imageHeaders = z.object({
  accept: z
    .string()
    .optional()
    .describe('With `image/webp` the picture comes as that: half of a PNG, of a scan a tenth.'),
  'if-none-match': z.string().optional(),
})

export const eventHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .describe('Events after this one; all of them, if left out.'),
  accept: z.string().optional(),
})

/** What `file` and `stage` events carry. */
export const documentEventSchema = z
  .object({
    id: z.int(),
    stage: z.enum(stages).nullable(),
    status: z.enum(stageStatuses).nullable(),
    file_status: z.enum(fileStatuses),
    pages_done: z.int().nullable(),
    pages_total: z.int().nullable(),
    at: timeField,
  })
  .meta({ title: 'DocumentEvent' })

/** One event of a document's stream: the lines `id` and `event`, and `data` as JSON. */
export const documentStreamSchema = z
  .discriminatedUnion('event', [
    z.object({ id: z.string(), event: z.enum(['file', 'stage']), data: documentEventSchema }),
    z.object({ event: z.literal('end'), data: z.object({ file_status: z.enum(fileStatuses) }) }),
  ])
  .meta({ title: 'DocumentStreamEvent' })
export type DocumentStreamEvent = z.output<typeof documentStreamSchema>

export const decisionBody = z.object({ decision: z.enum(['accepted', 'rejected']) })
