import { z } from 'zod'
import { closureStatuses } from '../../../db/schema/privacy.ts'
import { idField, timeField } from '../fields.ts'

export const closureSchema = z
  .object({
    closure_id: idField,
    status: z.enum(closureStatuses),
    requested_at: timeField,
    due_at: timeField.describe('Until then it can be called off, and everything can be read and exported.'),
    cancelled_at: timeField.nullable(),
  })
  .meta({ title: 'AccountClosure' })

export const closureAnswer = z.object({
  closure: closureSchema.nullable().describe('The newest; null: never asked for.'),
})
