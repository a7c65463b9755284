import { z } from 'zod'
import { defineJob } from './job.ts'

/** A message to the holder of an account, or to whoever is said to be. The id alone: who and what is in `login.messages`. */
export const deliverMessage = defineJob({
  name: 'deliver_message',
  lane: 'fast_queue',
  payload: z.object({ message_id: z.uuid() }),
  attempts: 7,
  timeoutMs: 30_000,
})
