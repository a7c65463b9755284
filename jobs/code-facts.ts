import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const codeFacts = defineJob({
  name: 'pass2_code',
  lane: 'ai_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 600_000,
})
