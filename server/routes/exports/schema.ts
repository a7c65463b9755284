import { z } from 'zod'
import { exportStatuses } from '../../../db/schema/privacy.ts'
import { idField, timeField } from '../fields.ts'

export const exportSchema = z
  .object({
    export_id: idField,
    patient_id: idField,
    job_id: idField.nullable(),
    status: z.enum(exportStatuses),
    requested_at: timeField,
    ready_at: timeField.nullable(),
    expires_at: timeField.nullable().describe('Until then the archive can be fetched.'),
    size_bytes: z.number().nullable(),
    sha256: z.string().nullable(),
  })
  .meta({ title: 'DataExport' })

export const exportListSchema = z.object({ exports: z.array(exportSchema).describe('Newest first.') })
export const exportParams = z.object({ id: idField, export_id: idField })
