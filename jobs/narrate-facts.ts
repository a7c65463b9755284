import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const narrateFacts = defineJob({
  name: 'pass3_narrate',
  lane: 'ai_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 300_000,
})
