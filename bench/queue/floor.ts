import postgres from 'postgres'
import type { Contender, Producer, Work } from './contender.ts'
import type { Place } from '../server.ts'

/** The least that PostgreSQL can do: a row in a narrow table, NOTIFY, a listener that takes the row. No leases, no retries. */
export const floor: Contender = {
  name: 'floor',
  settings: 'a bare table, NOTIFY in the insert, one SKIP LOCKED take at a time; does nothing else a queue must do',
  tables: ['public.bare'],
  async prepare(place) {
    const sql = connect(place.owner)
    await sql`create table bare (seq bigint generated always as identity primary key, job_id text not null)`
    await sql.end()
  },
  openProducer,
  startWorker,
}

async function openProducer(place: Place, connections: number): Promise<Producer> {
  const sql = connect(place.owner, connections)
  return {
    async add(jobId) {
      await sql`
        with added as (insert into bare (job_id) values (${jobId}) returning seq)
        select pg_notify('bare', '') from added`
    },
    async addMany(jobIds) {
      await sql`insert into bare (job_id) select unnest(${[...jobIds]}::text[])`
      await sql`notify bare`
    },
    async countUnfinished() {
      const [row] = await sql<{ count: number }[]>`select count(*)::int as count from bare`
      return row?.count ?? 0
    },
    async clear() {
      await sql`truncate bare`
    },
    close: () => sql.end(),
  }
}

async function startWorker(place: Place, work: Work) {
  const sql = connect(place.owner)
  const listener = connect(place.owner)
  const take = async () => {
    const rows = await sql<{ jobId: string }[]>`
      delete from bare
      where seq = (select seq from bare order by seq limit 1 for update skip locked)
      returning job_id as "jobId"`
    for (const { jobId } of rows) await work.onRun(jobId)
  }
  await take()
  await listener.listen('bare', () => void take())
  return {
    async stop() {
      await Promise.all([listener.end(), sql.end()])
    },
  }
}

const connect = (url: string, max = 1) => postgres(url, { max, onnotice: () => {} })
