import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const findFacts = defineJob({
  name: 'pass1_find',
  lane: 'ai_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 900_000,
})
