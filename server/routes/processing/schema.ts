import { z } from 'zod'
import { stages } from '../../../db/schema/documents.ts'
import { idField } from '../fields.ts'

export const processBody = z
  .object({
    shell_file_id: idField,
    stages: z
      .array(z.enum(stages))
      .min(1)
      .optional()
      .describe(
        'Everything from the first of these on; left out: from the first stage that has not completed, or from the start.',
      ),
  })
  .meta({ title: 'ProcessDocument' })

export const processedSchema = z.object({
  shell_file_id: idField,
  job_id: idField,
  from_stage: z.enum(stages),
  status: z.literal('enqueued'),
})
