import { z } from 'zod'
import { fileStatuses } from '../../../db/schema/documents.ts'
import { dateField, idField } from '../fields.ts'
import { usageSchema } from '../usage/schema.ts'

// PostgreSQL text cannot hold a NUL.
const noNul = /^[^\0]*$/

/** The text fields of the form. */
export const uploadFields = z.object({
  patient_id: idField,
  estimated_pages: z.coerce.number().int().min(1).max(10_000).optional(),
  document_date: dateField.optional(),
  note: z.string().max(2_000).regex(noNul).optional(),
  idempotency_key: z.string().min(1).max(255).regex(noNul).optional(),
  filename: z.string().max(1_000).regex(noNul).optional(),
})
export type UploadFields = z.output<typeof uploadFields>

export const uploadQuery = z.object({
  keep_both: z.stringbool().default(false).describe('Keep a second copy of bytes that this person already has.'),
})

export const uploadHeaders = z.object({
  'idempotency-key': z.string().min(1).max(255).optional(),
  'x-idempotency-key': z.string().min(1).max(255).optional(),
})

export const uploadAnswer = z
  .object({
    shell_file_id: idField,
    job_id: idField.nullable(),
    status: z.enum(['enqueued', ...fileStatuses]),
    filename: z.string(),
    size_bytes: z.int(),
    mime_type: z.string(),
    sha256: z.string(),
    duplicate_of: idField.nullable(),
    usage: usageSchema,
    correlation_id: z.string().nullable(),
  })
  .meta({ title: 'UploadAnswer' })

/** For the documentation only: the form is read as a stream, field by field. */
export const uploadForm = {
  type: 'object',
  required: ['patient_id', 'file'],
  properties: {
    patient_id: { type: 'string', format: 'uuid' },
    file: { type: 'string', format: 'binary', description: 'Exactly one.' },
    estimated_pages: { type: 'integer', minimum: 1 },
    document_date: { type: 'string', format: 'date' },
    note: { type: 'string', maxLength: 2000 },
    idempotency_key: { type: 'string', maxLength: 255, description: 'Where a header cannot be set.' },
    filename: { type: 'string', maxLength: 1000, description: 'Where the part of the file cannot say it in UTF-8.' },
  },
}
