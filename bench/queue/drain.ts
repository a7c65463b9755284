import { setTimeout as delay } from 'node:timers/promises'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import { jobIdOf } from './contender.ts'
import type { Prepared } from './contenders.ts'
import type { Bench, Figure, Question } from './question.ts'
import { atLeast, atMost, missingRows, queuesOf } from './question.ts'
import { median, rotated, rounded } from '../statistics.ts'
import { startWorkerProcess } from './worker-process.ts'
import type { WorkerProcess } from './worker-process.ts'

const fullSize = 20_000
const warmUpJobs = 1_000
const concurrency = 24
const fleets = [1, 4] as const
const giveUpMs = 120_000

type Round = { readonly jobsPerSecond: number; readonly doubled: number; readonly lost: number }

/**
 * Workers are up, warm and idle, then stopped (SIGSTOP) while the jobs are enqueued and the tables vacuumed. The clock
 * starts when they may go on (SIGCONT) and ends when the store has no unfinished job.
 */
export const drain: Question = {
  name: 'drain',
  asks: `${fullSize.toLocaleString('en')} jobs that do nothing, by one and by four worker processes, concurrency ${concurrency}, jobs/s`,
  async answer(bench) {
    const jobs = Math.round(fullSize * bench.scale)
    const results: Fleet[] = []
    for (const processes of fleets) {
      results.push({ processes, rounds: await measureFleet(bench, { processes, jobs }) })
    }
    return {
      figures: [...results.map(figureOf), ...figuresOfCounts(results)],
      table: [...tableOf(results), ...missingRows(bench)],
      details: {
        jobs,
        concurrency,
        rounds: results.map(({ processes, rounds }) => ({ processes, ...Object.fromEntries(rounds) })),
      },
      plots: [plotOf(results)],
    }
  },
}

type Fleet = { readonly processes: number; readonly rounds: ReadonlyMap<string, readonly Round[]> }

const rateOf = ({ rounds }: Fleet, name: string) =>
  Math.round(median((rounds.get(name) ?? []).map((round) => round.jobsPerSecond)))

const namesIn = (results: readonly Fleet[]) => [...(results[0]?.rounds.keys() ?? [])]

function figureOf(fleet: Fleet): Figure {
  const ratio = rateOf(fleet, 'exora') / rateOf(fleet, 'graphile-worker')
  return atLeast(`drain by ${inWords(fleet.processes)}, of graphile-worker tuned`, rounded(ratio), 1)
}

function figuresOfCounts(results: readonly Fleet[]): readonly Figure[] {
  const ours = results.flatMap(({ rounds }) => rounds.get('exora') ?? [])
  return [atMost('drain: jobs run twice', sum(ours, 'doubled'), 0), atMost('drain: jobs not run', sum(ours, 'lost'), 0)]
}

function tableOf(results: readonly Fleet[]) {
  return namesIn(results).map((contender) => ({
    contender,
    ...Object.fromEntries(results.map((fleet) => [inWords(fleet.processes), rateOf(fleet, contender)])),
  }))
}

function plotOf(results: readonly Fleet[]) {
  const bars = results.flatMap((fleet) =>
    namesIn(results).map((label) => ({ label, group: inWords(fleet.processes), value: rateOf(fleet, label) })),
  )
  const title = `Jobs that do nothing, concurrency ${concurrency}`
  return barChart({ name: 'drain', title, unit: 'jobs/s, more is better', bars })
}

type Size = { readonly processes: number; readonly jobs: number }

async function measureFleet(bench: Bench, size: Size): Promise<Map<string, Round[]>> {
  const rounds = new Map<string, Round[]>(queuesOf(bench).map(({ contender }) => [contender.name, []]))
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const prepared of rotated(queuesOf(bench), round)) {
      const measured = await measureRound(prepared, bench, size)
      rounds.get(prepared.contender.name)?.push(measured)
      const { name } = prepared.contender
      bench.say(`drain by ${inWords(size.processes)}, round ${round + 1}, ${name}: ${measured.jobsPerSecond} jobs/s`)
    }
  }
  return rounds
}

async function measureRound({ contender, place }: Prepared, bench: Bench, { processes, jobs }: Size): Promise<Round> {
  const producer = await contender.openProducer(place, 1)
  const task = { contender: contender.name, place, concurrency, mode: 'count' } as const
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorkerProcess(task)))
  const untilDrained = async (count: number) => {
    const giveUpAt = performance.now() + giveUpMs
    // Asking the store costs time that the workers need, so it is asked when they have run everything.
    while (sumOf(workers) < count && performance.now() < giveUpAt) await delay(2)
    while ((await producer.countUnfinished()) > 0 && performance.now() < giveUpAt) await delay(1)
  }

  await producer.addMany(jobIds(warmUpJobs))
  await untilDrained(warmUpJobs)
  for (const worker of workers) await worker.forget()
  for (const worker of workers) worker.freeze()
  await producer.addMany(jobIds(jobs))
  await bench.server.settle(place, contender.tables)

  const startedAt = performance.now()
  for (const worker of workers) worker.thaw()
  await untilDrained(jobs)
  const seconds = (performance.now() - startedAt) / 1_000

  const counts = await countRuns(workers, jobs)
  for (const worker of workers) await worker.stop()
  await producer.close()
  return { jobsPerSecond: Math.round(jobs / seconds), ...counts }
}

async function countRuns(workers: readonly WorkerProcess[], jobs: number): Promise<{ doubled: number; lost: number }> {
  const times = new Uint8Array(jobs)
  for (const worker of workers) {
    for (const index of await worker.indexesRun()) times[index] = (times[index] ?? 0) + 1
  }
  return { doubled: times.filter((count) => count > 1).length, lost: times.filter((count) => count === 0).length }
}

const jobIds = (count: number) => Array.from({ length: count }, (_, index) => jobIdOf(index))
const sumOf = (workers: readonly WorkerProcess[]) => workers.reduce((sum, worker) => sum + worker.runs, 0)
const sum = (rounds: readonly Round[], part: 'doubled' | 'lost') => rounds.reduce((all, round) => all + round[part], 0)
const inWords = (processes: number) => (processes === 1 ? '1 process' : `${processes} processes`)
