import { Queue, Worker } from 'bullmq'
import { jobIdIn } from './contender.ts'
import type { Contender, Producer, Work } from './contender.ts'
import type { Place } from '../server.ts'

const name = 'measure'
const addAtOnce = 1_000

export const bullmq: Contender = {
  name: 'bullmq',
  settings: 'Redis, appendonly with appendfsync everysec (it may lose a second); finished jobs removed at once',
  tables: [],
  prepare: async () => {},
  openProducer,
  startWorker,
}

async function openProducer(place: Place, connections: number): Promise<Producer> {
  // One connection pipelines the calls of many callers; more of them only cost.
  const queues = Array.from({ length: Math.min(connections, 4) }, () => new Queue(name, settingsOf(place)))
  for (const queue of queues) await queue.waitUntilReady()
  let turn = 0
  const next = () => {
    turn += 1
    const queue = queues[turn % queues.length]
    if (queue === undefined) throw new Error('no queue is open')
    return queue
  }
  return {
    async add(jobId) {
      await next().add(name, { jobId })
    },
    async addMany(jobIds) {
      for (let from = 0; from < jobIds.length; from += addAtOnce) {
        await next().addBulk(jobIds.slice(from, from + addAtOnce).map((jobId) => ({ name, data: { jobId } })))
      }
    },
    async countUnfinished() {
      const counts = await next().getJobCounts('waiting', 'active', 'prioritized', 'delayed')
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    async clear() {
      await next().obliterate({ force: true })
    },
    async close() {
      for (const queue of queues) await queue.close()
    },
  }
}

async function startWorker(place: Place, work: Work) {
  const worker = new Worker(name, async (job) => await work.onRun(jobIdIn(job.data)), {
    ...settingsOf(place),
    concurrency: work.concurrency,
    removeOnComplete: { count: 0 },
  })
  worker.on('error', (error) => console.error(`bullmq: ${error.message}`))
  await worker.waitUntilReady()
  return { stop: () => worker.close(true) }
}

function settingsOf(place: Place) {
  const { hostname: host, port } = new URL(place.owner)
  return { connection: { host, port: Number(port), maxRetriesPerRequest: null } }
}
