import { z } from 'zod'
import { defineJob } from './job.ts'

export const purgeAccount = defineJob({
  name: 'purge_account',
  lane: 'background',
  payload: z.object({ closure_id: z.uuid() }),
  attempts: 7,
  timeoutMs: 4 * 3_600_000,
  key: ({ closure_id: closureId }) => `purge_account:${closureId}`,
})
