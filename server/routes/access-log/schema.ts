import { z } from 'zod'
import { accessBases, whoKinds } from '../../../db/queries/access-log.ts'
import { auditOperations } from '../../../db/schema/foundations.ts'
import { idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

export const accessLogQuery = z.object({
  ...pageOfList,
  who: z
    .enum(['everybody', 'others'])
    .default('everybody')
    .describe('`others` leaves out what this account did itself.'),
})

export const accessLogEntrySchema = z
  .object({
    id: idField,
    at: timeField,
    who: z.object({
      kind: z.enum(whoKinds).describe('`service`: our own processing.'),
      name: z.string().nullable().describe('Null where the account has been closed.'),
      on_behalf_of: z.string().nullable().describe('Whoever started what the service did.'),
    }),
    why: z.object({
      basis: z.enum(accessBases).nullable().describe('`owner`: their own record, or that of somebody they look after.'),
      shared_by: z.string().nullable().describe('Who gave the access to a delegate or a guardian.'),
      reason: z.string().nullable().describe('The purpose of a clinician, the reason for which the glass was broken.'),
      explanation: z.string().nullable().describe('In the words of whoever broke the glass.'),
    }),
    what: z.object({
      resource: z.string().describe('The table.'),
      view: z.string().nullable().describe('What of it was shown, for reads.'),
      record_id: z.string(),
      operation: z.enum(auditOperations),
    }),
    count: z.int().describe('Equal reads within a moment are one entry.'),
  })
  .meta({ title: 'AccessLogEntry' })

export const accessLogSchema = z.object({ entries: z.array(accessLogEntrySchema), next_cursor: nextCursorField })
