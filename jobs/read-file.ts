import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const readFile = defineJob({
  name: 'ocr',
  lane: 'fast_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 1_800_000,
})
