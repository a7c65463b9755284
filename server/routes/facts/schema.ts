import { z } from 'zod'
import { apartFroms } from '../../../db/queries/fact-decisions.ts'
import { factStatuses, factTypes } from '../../../db/schema/facts.ts'
import { factDecisionKinds, rejectionReasons } from '../../../db/schema/reviews.ts'
import { factSchema } from '../documents/schema.ts'
import { boxField, idField, timeField } from '../fields.ts'

const words = (longest: number) => z.string().trim().min(1).max(longest)
const wordsOrNone = (longest: number) => words(longest).nullable().optional()

/** A year, a month or a day that there is. */
const date = z
  .string()
  .regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'is no year, month or day')
  .refine((iso) => isInCalendar(iso), 'is not in the calendar')
  .describe('ISO 8601, as exact as it is known: it may be a year alone.')

function isInCalendar(iso: string): boolean {
  const day = new Date(`${iso}${'-01'.repeat(iso.length === 4 ? 2 : iso.length === 7 ? 1 : 0)}`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(iso)
}

const code = z
  .object({ system: words(40), code: words(60), display: words(300) })
  .meta({ title: 'FactCode' })
  .nullable()
  .optional()
  .describe('Left out, the words are coded; null: there is none.')

/** What is particular to a type; null takes it away. */
const detail = z
  .strictObject({
    dose: wordsOrNone(200),
    route: wordsOrNone(200),
    frequency: wordsOrNone(200),
    form: wordsOrNone(200),
    duration: wordsOrNone(200),
    indication: wordsOrNone(300),
    prescriber: wordsOrNone(200),
    clinical_status: z.enum(['active', 'completed', 'stopped', 'planned', 'resolved']).nullable().optional(),
    flag: wordsOrNone(60),
    specimen: wordsOrNone(200),
    panel: wordsOrNone(200),
    reaction: wordsOrNone(300),
    severity: wordsOrNone(200),
    dose_number: wordsOrNone(60),
    batch: wordsOrNone(60),
    site: wordsOrNone(200),
    manufacturer: wordsOrNone(200),
    relationship: wordsOrNone(200),
    laterality: wordsOrNone(60),
    body_site: wordsOrNone(200),
    encounter_type: wordsOrNone(200),
    provider: wordsOrNone(200),
    facility: wordsOrNone(200),
    end_date: date.nullable().optional(),
  })
  .meta({ title: 'FactDetail' })

const said = {
  status: z.enum(factStatuses).optional(),
  value: wordsOrNone(200),
  unit: wordsOrNone(60),
  reference_range: wordsOrNone(200),
  date: date.nullable().optional(),
  code,
  detail: detail.optional(),
}

const version = words(40)
  .optional()
  .describe(
    'Which state of the fact was seen. If it has changed since: 409 `fact_changed`. Left out, nobody else may have decided on it.',
  )

export const factDecisionBody = z
  .discriminatedUnion('review', [
    z.object({ review: z.literal('accepted'), version }),
    z.object({ review: z.literal('edited'), version, text: words(500).optional(), ...said }),
    z.object({ review: z.literal('rejected'), version, reason: z.enum(rejectionReasons) }),
    z
      .object({
        review: z.literal('separated'),
        version,
        apart_from: z
          .enum(apartFroms)
          .default('other_documents')
          .describe(
            '`other_documents`: this document means another thing than they do. `all`: this one place does; its fact is named by `fact_id` of the source.',
          ),
      })
      .describe('Not the same as what the record took it for: accepted, as a thing of its own.'),
  ])
  .meta({ title: 'FactDecision' })
export type FactDecisionBody = z.output<typeof factDecisionBody>

export const decidedFactSchema = z
  .object({ decision_id: idField.describe('To take it back: `POST /documents/:id/review/undo`.'), fact: factSchema })
  .meta({ title: 'DecidedFact' })

const place = z.union([
  z.object({ start: z.int().min(0), length: z.int().min(1).max(10_000) }),
  z.object({ page: z.int().min(1), box: boxField }),
])

export const newFactBody = z
  .object({
    id: idField.optional().describe('Chosen by the client: the same again enters nothing twice.'),
    type: z.enum(factTypes).exclude(['identity']),
    text: words(500),
    ...said,
    text_version: z
      .int()
      .min(1)
      .optional()
      .describe('In which text `start` and `length` count. If there is a newer one: 409 `fact_changed`.'),
    sources: z
      .array(place)
      .max(10)
      .optional()
      .describe('The words that say so, by their place in the text or by a box around them; the name first.'),
  })
  .meta({ title: 'NewFact' })
export type NewFactBody = z.output<typeof newFactBody>

export const acceptBody = z
  .object({
    decision: z.literal('accepted').default('accepted'),
    decision_id: idField.optional().describe('Chosen by the client: the same again has no further effect.'),
    fact_ids: z
      .array(idField)
      .min(1)
      .max(1_000)
      .optional()
      .describe('Left out: all facts of the record that are sure (`high`) and that nobody has decided on.'),
  })
  .meta({ title: 'AcceptFacts' })

export const acceptedSchema = z
  .object({
    decision_id: idField,
    accepted: z.array(idField),
    skipped: z.array(
      z.object({ id: idField, reason: z.enum(['not_in_document', 'not_checked_yet', 'already_decided']) }),
    ),
  })
  .meta({ title: 'AcceptedFacts' })

export const undoBody = z.object({ decision_id: idField }).meta({ title: 'UndoDecision' })

export const decisionListSchema = z
  .object({
    decisions: z.array(
      z
        .object({
          decision_id: idField,
          decision: z.enum(factDecisionKinds),
          reason: z.enum(rejectionReasons).nullable(),
          fact_ids: z.array(idField),
          decided_at: timeField,
          is_own: z.boolean().describe('The caller has made it.'),
          undone_at: timeField.nullable(),
        })
        .meta({ title: 'DecisionOnFacts' }),
    ),
  })
  .meta({ title: 'DecisionList' })

const reading = {
  id: idField.describe('Of a fact that is gone: the one that it had.'),
  type: z.enum(factTypes),
  text: z.string(),
  status: z.enum(factStatuses),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  date: z.string().nullable(),
  in_record: z.boolean(),
}
const readingSchema = z.object(reading).meta({ title: 'FactReading' })

export const factChangesSchema = z
  .object({
    compared_with: timeField.nullable().describe('When the document was sent to be processed again; null: never.'),
    settled: z.boolean().describe('Facts are found and coded; before that, what is missing may still come.'),
    unchanged: z.int(),
    new: z.array(readingSchema),
    changed: z.array(
      z
        .object({
          ...reading,
          changes: z.array(
            z.object({ field: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
          ),
        })
        .meta({ title: 'ChangedFact' }),
    ),
    gone: z.array(readingSchema),
  })
  .meta({ title: 'FactChanges' })
