import { z } from 'zod'

export const realtimeHeaders = z.object({
  'last-event-id': z.string().max(8_000).optional().describe('Events after this one; from now on, if left out.'),
  accept: z.string().optional(),
})
