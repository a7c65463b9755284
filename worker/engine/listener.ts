import { randomUUID } from 'node:crypto'
import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { sendPing } from '../../db/queries/workers.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { wait } from '../../platform/wait.ts'

const channel = 'exora_jobs'

/**
 * `hearing` when a notification that we sent ourselves has come back, `deaf` when it has not, as over a dead route or
 * through a pooler. `unproven` when none could be sent, `lost` while there is no connection.
 */
export type Hearing = 'untried' | 'hearing' | 'deaf' | 'unproven' | 'lost'

export type Listener = Service & { hearing(): Hearing }

export type ListenerOptions = {
  readonly db: Database
  readonly lanes: readonly JobLane[]
  readonly log: Logger
  readonly pingEveryMs: number
  /** What has not come back by then does not come. */
  readonly pingWithinMs: number
  readonly onJobs: () => void
  /** At every connection: what was notified before it is lost, so the queue has to be looked at. */
  readonly onListening: () => void
  readonly onHearing: (hearing: Hearing) => void
  readonly onQueueUsage: (usage01: number) => void
}

// state: untried → hearing ⇄ deaf | unproven | lost. Each connection, and then each `pingEveryMs`, is tried by a ping; a ping that
// does not come back ends the connection, and only a ping that does come back proves the next one.
/** The one connection of the process that LISTENs, and the proof that it hears. */
export function createListener(options: ListenerOptions): Listener {
  const { db, log } = options
  const lanes = new Set<string>(options.lanes)
  // A channel of our own, so that proving that we hear wakes nobody else.
  const pingChannel = `exora_ping_${randomUUID().replaceAll('-', '')}`
  const subscriptions: { stop: () => Promise<void> }[] = []
  let hearing: Hearing = 'untried'
  let isStopped = true
  let pings = 0
  let expected: { readonly ping: number; readonly came: () => void } | undefined
  let isTooFull = false
  let timer: NodeJS.Timeout | undefined

  function become(next: Hearing): void {
    if (next === hearing || isStopped) return
    if (next === 'hearing' && hearing !== 'untried') log.info('notifications of jobs arrive again')
    else if (next !== 'hearing' && next !== 'untried') log.warn(`${reasons[next]}; jobs are found by polling`)
    hearing = next
    options.onHearing(next)
  }

  function later(delayMs: number, then: () => void): void {
    clearTimeout(timer)
    if (!isStopped) timer = setTimeout(then, delayMs)
  }

  /** One ping. Whatever comes of an earlier one is nobody's business any more. */
  async function prove(): Promise<void> {
    clearTimeout(timer)
    const ping = (pings += 1)
    const isLatest = () => ping === pings && !isStopped
    const { promise: back, resolve } = Promise.withResolvers<'hearing'>()
    expected = { ping, came: () => resolve('hearing') }
    const isSent = await withinMs(options.pingWithinMs, send(ping), false)
    if (!isLatest()) return
    const outcome = isSent ? await withinMs(options.pingWithinMs, back, 'deaf') : 'unsent'
    if (!isLatest()) return
    if (outcome === 'hearing') become('hearing')
    else if (outcome === 'unsent') become('unproven')
    else return renew()
    later(options.pingEveryMs, () => void prove())
  }

  function noteUsage(usage01: number): void {
    options.onQueueUsage(usage01)
    if (usage01 > tooFull01 && !isTooFull) log.warn({ usage01 }, tooFull)
    isTooFull = usage01 > tooFull01
  }

  async function send(ping: number): Promise<boolean> {
    try {
      noteUsage(await asService(db, {}, (tx) => sendPing(tx, pingChannel, String(ping))))
      return true
    } catch (error) {
      log.debug({ error }, 'the LISTEN connection could not be tried')
      return false
    }
  }

  /** At once when it has just become deaf, and with it what may have died the same death; then now and then. */
  function renew(): void {
    const isNew = hearing !== 'deaf'
    become('deaf')
    later(isNew ? 0 : options.pingEveryMs, () => {
      if (isNew) db.reconnect()
      else db.relisten()
      later(options.pingEveryMs, () => void prove())
    })
  }

  function onListening(): void {
    options.onListening()
    void prove()
  }

  function onLost(): void {
    pings += 1
    clearTimeout(timer)
    become('lost')
  }

  function onJobs(lane: string): void {
    if (lanes.has(lane)) options.onJobs()
  }

  function onPing(payload: string): void {
    if (Number(payload) === expected?.ping) expected.came()
  }

  async function subscribe(): Promise<void> {
    try {
      subscriptions.push(await db.listen(channel, onJobs))
      subscriptions.push(await db.listen(pingChannel, onPing, { onListening, onLost }))
      if (isStopped) await unsubscribe()
    } catch (error) {
      await unsubscribe()
      if (isStopped) return
      log.debug({ error }, 'no LISTEN connection')
      become('lost')
      later(options.pingEveryMs / 2, () => void subscribe())
    }
  }

  async function unsubscribe(): Promise<void> {
    await Promise.all(subscriptions.splice(0).map((subscription) => subscription.stop()))
  }

  return {
    name: 'listener',
    async start() {
      isStopped = false
      // A worker that cannot listen begins all the same: it polls.
      await withinMs(options.pingWithinMs, subscribe(), undefined)
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await unsubscribe()
    },
    hearing: () => hearing,
  }
}

const tooFull01 = 0.25
const tooFull =
  'the queue of notifications is filling up: a session that listens has not ended its transaction; ' +
  'when the queue is full, no job can be added'

const reasons = {
  lost: 'the LISTEN connection was lost',
  unproven: 'no notification could be sent to prove the LISTEN connection',
  deaf:
    'notifications do not arrive (if DATABASE_URL leads through a pooler, ' +
    'DATABASE_DIRECT_URL has to name PostgreSQL itself)',
} as const

async function withinMs<T, U>(limitMs: number, work: Promise<T>, otherwise: U): Promise<T | U> {
  const done = new AbortController()
  const late = wait(limitMs, { signal: done.signal }).then(
    () => otherwise,
    () => otherwise,
  )
  return await Promise.race([work, late]).finally(() => done.abort())
}
