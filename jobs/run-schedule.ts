import { z } from 'zod'
import { defineJob } from './job.ts'

/** One slot of a schedule. Made by the database alone, when the slot begins (`begin_due_slots`). */
export const runSchedule = defineJob({
  name: 'run_schedule',
  lane: 'background',
  payload: z.object({ schedule: z.string().min(1), slot_at: z.iso.datetime() }),
  attempts: 7,
  timeoutMs: 3_600_000,
})
