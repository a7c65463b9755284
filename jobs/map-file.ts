import { defineJob } from './job.ts'
import { stagePayload } from './stage-payload.ts'

export const mapFile = defineJob({
  name: 'spatial_mapping',
  lane: 'fast_queue',
  payload: stagePayload,
  attempts: 7,
  timeoutMs: 300_000,
})
