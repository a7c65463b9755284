import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { heartbeatJobs } from '../../db/queries/jobs.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { leaseLost } from './errors.ts'
import type { RunningJobs } from './running-jobs.ts'

export type Heartbeat = Service & {
  /** When the database last confirmed one. */
  lastBeatAt(): Date | null
  isAlive(): boolean
}

export type HeartbeatOptions = {
  readonly db: Database
  readonly workerId: string
  readonly running: RunningJobs
  readonly leaseMs: number
  readonly log: Logger
}

/**
 * One statement for all jobs of the process, three times per lease. What the database does not confirm is aborted; when
 * it has confirmed nothing for a whole lease, everything is, since others may have taken it over.
 */
export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { db, workerId, running, leaseMs, log } = options
  const everyMs = leaseMs / 3
  let lastBeatAt: Date | null = null
  let confirmedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let isStopped = true
  let beating: Promise<void> = Promise.resolve()

  async function beat(): Promise<void> {
    const jobIds = running.ids
    // The lease counts from when the database wrote it, which is not before we asked.
    const askedAt = performance.now()
    try {
      const held = await asService(db, {}, (tx) => heartbeatJobs(tx, { workerId, jobIds, leaseMs }))
      confirmedAt = askedAt
      lastBeatAt = new Date()
      running.keepOnly(held, jobIds)
    } catch (error) {
      log.warn({ error }, 'a heartbeat failed')
      if (!isAlive()) running.abortAll(leaseLost({ workerId }))
    }
  }

  const isAlive = () => performance.now() - confirmedAt < leaseMs

  function schedule(): void {
    timer = setTimeout(() => {
      beating = beat().finally(() => {
        if (!isStopped) schedule()
      })
    }, everyMs)
  }

  return {
    name: 'heartbeat',
    async start() {
      isStopped = false
      await beat()
      schedule()
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await beating
    },
    lastBeatAt: () => lastBeatAt,
    isAlive,
  }
}
