import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { jobIdOf } from './contender.ts'
import type { Producer } from './contender.ts'
import type { Place } from '../server.ts'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import { atLeast, preparedOf, queuesOf } from './question.ts'
import type { Bench, Question } from './question.ts'
import { median, rotated, rounded } from '../statistics.ts'

const connections = 32
const secondsPerRound = 2.5
const warmUpMs = 300

type Way = {
  readonly name: string
  readonly place: Place
  readonly tables: readonly string[]
  readonly add: (index: number) => Promise<void>
  readonly clear: () => Promise<void>
}

/**
 * The same insert into `job_queue`, whose trigger notifies, and into a copy of it without trigger, while a session
 * listens. Beside it, what callers really use: `enqueue_job_v3`, and the peers' own ways to add one job.
 */
export const enqueue: Question = {
  name: 'enqueue',
  asks: `single inserts from ${connections} connections, a session listening, jobs/s`,
  async answer(bench) {
    const exora = preparedOf(bench, 'exora')
    if (exora === undefined) throw new Error('our own queue is always there')
    const owner = bench.server.superuserIn(exora.place, connections)
    await createCopy(owner)
    const heard = await listen(exora.place)
    const producers = await openProducers(bench)
    const ways: readonly Way[] = [
      { name: bareInsert, place: exora.place, tables: ['public.bench_bare'], ...insertInto(owner, 'bench_bare') },
      { name: insert, place: exora.place, tables: ['public.job_queue'], ...insertInto(owner, 'job_queue') },
      ...producers,
    ]
    const rates = new Map<string, number[]>(ways.map(({ name }) => [name, []]))
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const way of rotated(ways, round)) {
        await way.clear()
        await bench.server.settle(way.place, way.tables)
        const rate = await measureRate(way)
        rates.get(way.name)?.push(rate)
        bench.say(`enqueue, round ${round + 1}, ${way.name}: ${rate} jobs/s`)
      }
    }
    for (const { clear } of ways) await clear()
    await Promise.all([owner.end(), heard.stop(), ...producers.map(({ producer }) => producer.close())])
    return answerOf(rates, heard.count)
  },
}

const bareInsert = 'insert without trigger'
const insert = 'insert into job_queue'

function answerOf(rates: ReadonlyMap<string, readonly number[]>, notifications: number) {
  const rate = (name: string) => median(rates.get(name) ?? [])
  const all = [...rates.keys()].map((name) => ({ label: name, value: Math.round(rate(name)) }))
  return {
    figures: [
      atLeast('enqueue with trigger and listener, of a bare insert', rounded(rate(insert) / rate(bareInsert)), 0.8),
    ],
    table: all.map(({ label: way, value }) => ({ way, jobs_per_second: value })),
    details: {
      connections,
      jobs_per_second: Object.fromEntries(rates),
      notifications_heard: notifications,
    },
    plots: [
      barChart({
        name: 'enqueue',
        title: `Adding jobs one by one from ${connections} connections`,
        unit: 'jobs/s, more is better',
        bars: all,
      }),
    ],
  }
}

/** Everything of `job_queue` but its triggers and policies. */
async function createCopy(owner: postgres.Sql): Promise<void> {
  await owner`drop table if exists public.bench_bare`
  await owner`create table public.bench_bare (like public.job_queue including all)`
  const [row] = await owner<{ options: string[] | null }[]>`
    select reloptions as options from pg_class where oid = 'public.job_queue'::regclass`
  if (row?.options) await owner.unsafe(`alter table public.bench_bare set (${row.options.join(', ')})`)
}

function insertInto(sql: postgres.Sql, table: 'bench_bare' | 'job_queue'): Pick<Way, 'add' | 'clear'> {
  const name = sql(`public.${table}`)
  return {
    async add(index) {
      const payload = JSON.stringify({ shell_file_id: jobIdOf(index) })
      await sql`
        insert into ${name} (job_type, job_lane, job_name, job_payload, shell_file_id, patient_id)
        values ('ocr', 'fast_queue', 'ocr', ${payload}::text::jsonb, ${jobIdOf(index)}, ${jobIdOf(index % 1_000)})`
    },
    async clear() {
      await sql`truncate ${name}`
    },
  }
}

async function openProducers(bench: Bench): Promise<readonly (Way & { readonly producer: Producer })[]> {
  return await Promise.all(
    queuesOf(bench).map(async ({ contender, place }) => {
      const producer = await contender.openProducer(place, connections)
      return {
        name: contender.name === 'exora' ? 'exora: enqueue_job_v3' : contender.name,
        place,
        tables: contender.tables,
        producer,
        add: (index: number) => producer.add(jobIdOf(index)),
        clear: () => producer.clear(),
      }
    }),
  )
}

async function listen(place: Place) {
  const sql = postgres(place.app, { max: 1, onnotice: () => {} })
  const heard = { count: 0, stop: () => sql.end() }
  await sql.listen('exora_jobs', () => {
    heard.count += 1
  })
  return heard
}

async function measureRate(way: Way): Promise<number> {
  let added = 0
  const over = new AbortController()
  const caller = async () => {
    while (!over.signal.aborted) {
      await way.add(added)
      added += 1
    }
  }
  const callers = Array.from({ length: connections }, caller)
  await delay(warmUpMs)
  const [before, startedAt] = [added, performance.now()]
  await delay(secondsPerRound * 1_000)
  const rate = ((added - before) / (performance.now() - startedAt)) * 1_000
  over.abort()
  await Promise.all(callers)
  return Math.round(rate)
}
