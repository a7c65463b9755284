import { randomUUID } from 'node:crypto'
import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { sendPing } from '../../db/queries/workers.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'

const channel = 'exora_jobs'

export type Listener = Service & {
  /** False when a notification that we sent ourselves has not come back: the connection may be open and yet deaf. */
  isHearing(): boolean
}

export type ListenerOptions = {
  readonly db: Database
  readonly lanes: readonly JobLane[]
  readonly log: Logger
  readonly pingEveryMs: number
  readonly onJobs: () => void
  /** At every connection: what was notified before it is lost, so the queue has to be looked at. */
  readonly onListening: () => void
}

/** The one connection of the process that LISTENs, and the proof that it hears. */
export function createListener(options: ListenerOptions): Listener {
  const { db, log } = options
  const lanes = new Set<string>(options.lanes)
  // A channel of our own, so that proving that we hear wakes nobody else.
  const pingChannel = `exora_ping_${randomUUID().replaceAll('-', '')}`
  const subscriptions: { stop: () => Promise<void> }[] = []
  let heardAt = performance.now()
  let timer: NodeJS.Timeout | undefined

  const heard = () => {
    heardAt = performance.now()
  }

  async function ping(): Promise<void> {
    await asService(db, {}, (tx) => sendPing(tx, pingChannel)).catch((error: unknown) =>
      log.warn({ error }, 'the listener could not be tried'),
    )
  }

  return {
    name: 'listener',
    async start() {
      const onJobs = (lane: string) => {
        heard()
        if (lanes.has(lane)) options.onJobs()
      }
      const onListening = () => {
        heard()
        options.onListening()
      }
      subscriptions.push(await db.listen(channel, onJobs, onListening))
      subscriptions.push(await db.listen(pingChannel, heard))
      timer = setInterval(() => void ping(), options.pingEveryMs)
    },
    async stop() {
      clearInterval(timer)
      await Promise.allSettled(subscriptions.splice(0).map((subscription) => subscription.stop()))
    },
    isHearing: () => performance.now() - heardAt < 3 * options.pingEveryMs,
  }
}
