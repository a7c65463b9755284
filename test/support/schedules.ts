import type { Store } from '../../platform/storage/store.ts'
import type { Schedule } from '../../worker/engine/schedule.ts'
import { createMalwareScan } from '../../worker/providers/malware/index.ts'
import { createSchedules } from '../../worker/schedules.ts'
import { createWatchedLog } from './worker.ts'

/** All schedules of the product, over this store; alerts go to nobody. */
export function schedulesOver(store: Store): readonly Schedule[] {
  return createSchedules({
    store,
    malware: createMalwareScan(),
    alerting: { log: createWatchedLog().log, webhook: null, environment: 'test' },
  })
}
