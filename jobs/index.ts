import { codeFacts } from './code-facts.ts'
import { deliverMessage } from './deliver-message.ts'
import { exportRecord } from './export-record.ts'
import { findFacts } from './find-facts.ts'
import type { JobDefinition } from './job.ts'
import { mapFile } from './map-file.ts'
import { narrateFacts } from './narrate-facts.ts'
import { purgeAccount } from './purge-account.ts'
import { readFile } from './read-file.ts'
import { runSchedule } from './run-schedule.ts'
import { scanFile } from './scan-file.ts'
import type { StagePayload } from './stage-payload.ts'

/** The stages of the pipeline, by the names that they have everywhere. */
const stageJobs = {
  security_scan: scanFile,
  ocr: readFile,
  spatial_mapping: mapFile,
  pass1_find: findFacts,
  pass2_code: codeFacts,
  pass3_narrate: narrateFacts,
} as const satisfies Readonly<Record<string, JobDefinition<StagePayload>>>

/**
 * Every kind of job, by its name in `job_queue.job_type`. A worker does not compile without a handler for each, and
 * `job_types` in the database says the same (a test compares them).
 */
export const jobs = {
  ...stageJobs,
  export_record: exportRecord,
  purge_account: purgeAccount,
  run_schedule: runSchedule,
  deliver_message: deliverMessage,
} as const

export type JobName = keyof typeof jobs
