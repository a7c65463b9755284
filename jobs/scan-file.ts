import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const scanFile = defineJob({
  name: 'security_scan',
  lane: 'fast_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 120_000,
})
