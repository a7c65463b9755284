import { z } from 'zod'
import { defineJob } from './job.ts'

export const exportRecord = defineJob({
  name: 'export_record',
  lane: 'background',
  payload: z.object({ export_id: z.uuid() }),
  attempts: 7,
  timeoutMs: 4 * 3_600_000,
})
