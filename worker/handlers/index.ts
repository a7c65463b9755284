import type { jobs } from '../../jobs/index.ts'
import type { HandlersFor } from '../engine/handler.ts'
import { createCodeFacts } from './code-facts.ts'
import { createDeliverMessage } from './deliver-message.ts'
import type { HandlerDeps } from './deps.ts'
import { createExportRecord } from './export-record.ts'
import { createFindFacts } from './find-facts.ts'
import { createMapFile } from './map-file.ts'
import { createNarrateFacts } from './narrate-facts.ts'
import { createPurgeAccount } from './purge-account.ts'
import { createReadFile } from './read-file.ts'
import { createRunSchedule } from './run-schedule.ts'
import { createScanFile } from './scan-file.ts'

export type { HandlerDeps } from './deps.ts'

/** One handler for each job: a missing one does not compile. */
export function createHandlers(deps: HandlerDeps): HandlersFor<typeof jobs> {
  return {
    security_scan: createScanFile(deps),
    ocr: createReadFile(deps),
    spatial_mapping: createMapFile(),
    pass1_find: createFindFacts(deps),
    pass2_code: createCodeFacts(deps),
    pass3_narrate: createNarrateFacts(deps),
    export_record: createExportRecord(deps),
    purge_account: createPurgeAccount(deps),
    run_schedule: createRunSchedule(deps.schedules),
    deliver_message: createDeliverMessage(deps),
  }
}
