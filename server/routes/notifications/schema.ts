import { z } from 'zod'
import { notificationKinds } from '../../../db/schema/foundations.ts'
import { idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

export const notificationQuery = z.object({ ...pageOfList, which: z.enum(['all', 'unread']).default('all') })

export const notificationListSchema = z.object({
  notifications: z.array(
    z
      .object({
        id: idField,
        kind: z.enum(notificationKinds),
        patient_id: idField.nullable(),
        subject_id: idField.describe('What it is about: an offer, a request, an export, …'),
        created_at: timeField,
        read_at: timeField.nullable(),
      })
      .meta({ title: 'Notification' }),
  ),
  next_cursor: nextCursorField,
})
