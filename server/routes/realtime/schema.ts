import { z } from 'zod'
import { notificationKinds } from '../../../db/schema/foundations.ts'
import { documentEventSchema } from '../documents/schema.ts'
import { idField, timeField } from '../fields.ts'

export const realtimeHeaders = z.object({
  'last-event-id': z.string().max(8_000).optional().describe('Events after this one; from now on, if left out.'),
  accept: z.string().optional(),
})

/** What `file` and `stage` carry: as the document's own stream has it, and which document it is. */
export const documentChangeSchema = documentEventSchema
  .extend({ document_id: idField, patient_id: idField })
  .meta({ title: 'DocumentChange' })

export const notificationToldSchema = z
  .object({
    id: idField,
    kind: z.enum(notificationKinds),
    patient_id: idField.nullable(),
    subject_id: idField.describe('What it is about: an offer, a request, an export, …'),
    at: timeField,
  })
  .meta({ title: 'NotificationTold' })

export const resetSchema = z
  .object({
    reason: z
      .enum(['too_old', 'unknown'])
      .describe('Events of then are gone; or the id is of another database, or made up.'),
  })
  .meta({ title: 'Reset' })

const eventId = z.string().describe('Opaque, for Last-Event-ID.')

/** One event of the account's stream: the lines `id` and `event`, and `data` as JSON. */
export const realtimeEventSchema = z
  .discriminatedUnion('event', [
    z.object({ id: eventId, event: z.enum(['file', 'stage']), data: documentChangeSchema }),
    z.object({ id: eventId, event: z.literal('notification'), data: notificationToldSchema }),
    z.object({ id: eventId, event: z.literal('ready'), data: z.object({}) }),
    z.object({ id: eventId, event: z.literal('reset'), data: resetSchema }),
  ])
  .meta({ title: 'RealtimeEvent' })
export type RealtimeEvent = z.output<typeof realtimeEventSchema>
