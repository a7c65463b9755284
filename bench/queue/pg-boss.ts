import { PgBoss } from 'pg-boss'
import postgres from 'postgres'
import { jobIdIn } from './contender.ts'
import type { Contender, Producer, Work } from './contender.ts'
import type { Place } from '../server.ts'

/**
 * Woken by NOTIFY, and fetching again at once while batches come back full: its quickest documented way. A batch is one
 * call of the handler, so the jobs of a batch run beside each other there.
 */
const fetching = { batchSize: 500, localConcurrency: 2, burstWhenBatchFull: true } as const
const queue = 'measure'

export const pgBoss: Contender = {
  name: 'pg-boss',
  settings: 'useListenNotify, queue.notify, batchSize 500, localConcurrency 2, burstWhenBatchFull',
  tables: ['pgboss.job'],
  async prepare(place) {
    const boss = await start(place)
    await boss.createQueue(queue, { notify: true, ...forRescue })
    await boss.stop({ graceful: false })
  },
  openProducer,
  startWorker,
}

// Its smallest: a job whose worker has not been heard of for this long is given to another at the next supervision.
const forRescue = { heartbeatSeconds: 10 }
const supervision = { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 }

async function start(place: Place, max = 10): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: place.owner, useListenNotify: true, max, ...supervision })
  boss.on('error', (error) => console.error(`pg-boss: ${error.message}`))
  return await boss.start()
}

async function openProducer(place: Place, connections: number): Promise<Producer> {
  const boss = await start(place, Math.max(connections, 2))
  const sql = postgres(place.owner, { max: 1, onnotice: () => {} })
  return {
    async add(jobId) {
      await boss.send(queue, { jobId })
    },
    async addMany(jobIds) {
      await boss.insert(
        queue,
        jobIds.map((jobId) => ({ data: { jobId } })),
      )
    },
    async countUnfinished() {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from pgboss.job where name = ${queue} and state < 'completed'`
      return row?.count ?? 0
    },
    async clear() {
      await boss.deleteAllJobs(queue)
    },
    async close() {
      await boss.stop({ graceful: false })
      await sql.end()
    },
  }
}

async function startWorker(place: Place, work: Work) {
  const boss = await start(place)
  await boss.work(queue, fetching, async (jobs) => {
    await Promise.all(jobs.map(async ({ data }) => await work.onRun(jobIdIn(data))))
  })
  return { stop: () => boss.stop({ graceful: false }) }
}
