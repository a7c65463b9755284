import { z } from 'zod'
import { clientEvents } from '../../../db/queries/audit-events.ts'
import { auditOperations, complianceCategories } from '../../../db/schema/foundations.ts'
import { idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

/** Nothing but ids and a word of the list: who, when and from where is added here. */
export const reportBody = z
  .object({
    events: z
      .array(
        z.strictObject({
          patient_id: idField,
          event: z.enum(clientEvents),
          document_id: idField.optional().describe('With the events of documents, and only with these.'),
        }),
      )
      .min(1)
      .max(50),
  })
  .meta({ title: 'ClientEvents' })

export const reportedSchema = z.object({ event_ids: z.array(idField) })
export const auditQuery = z.object({
  patient_id: idField.optional().describe('Of one person; operators may leave it out.'),
  ...pageOfList,
})

export const auditEventSchema = z
  .object({
    id: idField,
    at: timeField,
    resource: z.string().describe('The table.'),
    record_id: z.string(),
    operation: z.enum(auditOperations),
    view: z.string().nullable().describe('What was shown, or what a client reported.'),
    reported: z.boolean().describe('True where it is the word of a client.'),
    patient_id: idField.nullable(),
    account_id: idField.nullable(),
    actor_role: z.string(),
    reason: z.string().nullable(),
    category: z.enum(complianceCategories).nullable(),
    correlation_id: z.string().nullable(),
  })
  .meta({ title: 'AuditEvent' })

export const auditListSchema = z.object({ events: z.array(auditEventSchema), next_cursor: nextCursorField })
