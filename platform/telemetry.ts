import { wait } from './wait.ts'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** The metrics of one process or one test: prom-client's global registry is never used. */
export type Metrics = {
  readonly registry: Registry
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>
  gauge<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Gauge<Label>
  /** In seconds, as Prometheus has it. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
    buckets?: readonly number[],
  ): Histogram<Label>
  /** Called before each exposure; what it could not find out in time is left as it was. */
  beforeExposing(read: () => Promise<void>): void
  /** What `/metrics` answers with. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>
}

// Whoever scrapes has a limit of some seconds, and would rather have the rest than nothing.
const readingMs = 3_000
const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Labels carry closed lists of words only: no ids, and never anything from a document. */
export function createMetrics(options: {
  readonly service: string
  /** Event-loop lag, memory, garbage collection; wanted in processes, not in tests. */
  readonly runtime: 'collect' | 'leave_out'
}): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service: options.service })
  if (options.runtime === 'collect') collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const readers: (() => Promise<void>)[] = []
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: [...labels], registers }),
    histogram: (name, help, labels = [], buckets = defaultBuckets) =>
      new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers }),
    beforeExposing: (read) => void readers.push(read),
    expose: async () => {
      await withinPatience(Promise.allSettled(readers.map((read) => read())))
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

async function withinPatience(reading: Promise<unknown>): Promise<void> {
  const isRead = new AbortController()
  const patience = wait(readingMs, { signal: isRead.signal }).catch(() => {})
  await Promise.race([reading, patience])
  isRead.abort()
}
