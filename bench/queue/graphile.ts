import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker'
import postgres from 'postgres'
import { jobIdIn } from './contender.ts'
import type { Contender, Producer, Work } from './contender.ts'
import type { Place } from '../server.ts'

/** The settings of its own page on performance, which its headline figures were made with. */
const tuned = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0, preparedStatements: true }
const quiet = new Logger(() => (level, message) => {
  if (level === 'error') console.error(`graphile-worker: ${message}`)
})
const task = 'measure'

export const graphile: Contender = {
  name: 'graphile-worker',
  settings:
    'localQueue.size 500, completeJobBatchDelay 0, failJobBatchDelay 0, maxPoolSize = concurrency + 1, prepared',
  tables: ['graphile_worker._private_jobs'],
  async prepare(place) {
    await runMigrations({ connectionString: place.owner, logger: quiet })
  },
  openProducer,
  startWorker,
}

async function openProducer(place: Place, connections: number): Promise<Producer> {
  const sql = postgres(place.owner, { max: connections, onnotice: () => {} })
  const utils = await makeWorkerUtils({ connectionString: place.owner, logger: quiet })
  return {
    async add(jobId) {
      await sql`select from graphile_worker.add_job(${task}::text, ${JSON.stringify({ jobId })}::text::json)`
    },
    async addMany(jobIds) {
      await utils.addJobs(jobIds.map((jobId) => ({ identifier: task, payload: { jobId } })))
    },
    async countUnfinished() {
      const [row] = await sql<{ count: number }[]>`select count(*)::int as count from graphile_worker._private_jobs`
      return row?.count ?? 0
    },
    async clear() {
      await sql`truncate graphile_worker._private_jobs`
    },
    async close() {
      await utils.release()
      await sql.end()
    },
  }
}

async function startWorker(place: Place, work: Work) {
  const runner = await run({
    logger: quiet,
    noHandleSignals: true,
    preset: {
      worker: {
        connectionString: place.owner,
        concurrentJobs: work.concurrency,
        maxPoolSize: work.concurrency + 1,
        ...tuned,
      },
    },
    taskList: { [task]: async (payload) => await work.onRun(jobIdIn(payload)) },
  })
  return { stop: () => runner.stop() }
}
