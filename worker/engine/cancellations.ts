import type { Database } from '../../db/client.ts'
import type { Service } from '../../platform/service.ts'

const channel = 'exora_jobs_cancelled'

export type CancellationOptions = {
  readonly db: Database
  /** The id of a job that ran, here or elsewhere, and is cancelled for good. */
  readonly onCancelled: (jobId: string) => void
}

/**
 * Hears of running jobs that were cancelled, on the connection that LISTENs anyway. Nothing hangs on it: an attempt that
 * does not hear is fenced off all the same, and aborted by the next heartbeat.
 */
export function createCancellations({ db, onCancelled }: CancellationOptions): Service {
  let subscription: { stop: () => Promise<void> } | null = null
  return {
    name: 'cancellations',
    async start() {
      subscription = await db.listen(channel, onCancelled)
    },
    async stop() {
      await subscription?.stop()
      subscription = null
    },
  }
}
