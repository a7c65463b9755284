import type { ReadTrace } from '../../db/queries/read-traces.ts'
import { defineError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { wait } from '../../platform/wait.ts'
import { createTraceQueue } from './trace-queue.ts'
import type { TraceQueue } from './trace-queue.ts'

export const auditUnavailable = defineError(
  'audit_unavailable',
  503,
  'This cannot be shown just now, because it cannot be noted who sees it.',
)

/**
 * Traces of reading on their way to the audit log. They are written in batches, once a second or 500 at a time, so that
 * a read waits for no insert. A process that is killed outright loses what it has here: a second of reads, or up to `max` of
 * them while the database takes none. At `max` readers wait, and past `waitMs` they are refused: nothing is shown whose
 * trace has no place to wait in.
 */
export type TraceBuffer = {
  /** Returns once the trace has its place. Throws `audit_unavailable` when there is none. */
  record(trace: ReadTrace): Promise<void>
  /** Writes all there is. What is recorded from then on is written before `record` returns. */
  stop(): Promise<void>
  readonly waiting: () => number
}

export type TraceBufferLimits = {
  readonly flushMs: number
  readonly batch: number
  readonly max: number
  readonly waitMs: number
  readonly lastAttempts: number
}

const usualLimits: TraceBufferLimits = { flushMs: 1_000, batch: 500, max: 5_000, waitMs: 2_000, lastAttempts: 5 }

export type WriteTraces = (traces: readonly ReadTrace[]) => Promise<void>

export function createTraceBuffer(
  write: WriteTraces,
  log: Logger,
  changes: Partial<TraceBufferLimits> = {},
): TraceBuffer {
  const limits = { ...usualLimits, ...changes }
  const queue = createTraceQueue()
  const writer = createBatchWriter(queue, write, { log, limits })
  let isStopping = false

  const makeRoom = async () => {
    const giveUpAt = performance.now() + limits.waitMs
    while (writer.waiting() >= limits.max) {
      if (!(await within(giveUpAt - performance.now(), writer.flush()))) throw auditUnavailable({ retryAfterMs })
    }
  }
  const writeAll = async () => {
    for (let refused = 0; writer.waiting() > 0;) {
      if (await writer.flush()) continue
      refused += 1
      if (refused === limits.lastAttempts) throw auditUnavailable({ count: writer.waiting() })
      await wait(limits.flushMs / 2)
    }
  }

  return {
    waiting: writer.waiting,
    record: async (trace) => {
      if (!isStopping && queue.count(trace)) return
      await makeRoom()
      if (isStopping || !queue.count(trace)) queue.add(trace)
      if (isStopping) await writeAll()
      else writer.flushSoon()
    },
    stop: async () => {
      isStopping = true
      await writeAll().finally(() => writer.rest())
    },
  }
}

type BatchWriter = {
  /** One batch at a time, whoever asks; false if it was refused and waits again. */
  flush(): Promise<boolean>
  /** At once if there is a whole batch, else when its time has come. */
  flushSoon(): void
  rest(): void
  readonly waiting: () => number
}

function createBatchWriter(
  queue: TraceQueue,
  write: WriteTraces,
  { log, limits }: { readonly log: Logger; readonly limits: TraceBufferLimits },
): BatchWriter {
  let underWay = 0
  let writing: Promise<boolean> | null = null
  let timer: NodeJS.Timeout | null = null
  const waiting = () => queue.size() + underWay
  const rest = () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }
  const flushLater = () => {
    timer ??= setTimeout(() => void flush(), limits.flushMs)
  }
  const flushSoon = () => {
    if (queue.size() >= limits.batch) void flush()
    else if (queue.size() > 0) flushLater()
  }
  const flush = (): Promise<boolean> => {
    rest()
    writing ??= writeBatch().then((isWritten) => {
      writing = null
      // What was refused has its turn later, or a database that is away would be asked without a pause.
      if (isWritten) flushSoon()
      else flushLater()
      return isWritten
    })
    return writing
  }
  const writeBatch = async (): Promise<boolean> => {
    const batch = queue.take(limits.batch)
    underWay = batch.length
    try {
      if (batch.length > 0) await write(batch)
      return true
    } catch (error) {
      log.warn({ event: 'read_traces_wait', count: waiting(), error }, 'traces of reading could not be written yet')
      queue.putBack(batch)
      return false
    } finally {
      underWay = 0
    }
  }
  return { flush, flushSoon, rest, waiting }
}

const retryAfterMs = 1_000

/** False when it takes longer. */
async function within(limitMs: number, work: Promise<boolean>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
