import { setTimeout as delay } from 'node:timers/promises'
import { jobIdOf } from './contender.ts'
import type { Bench, Figure, Prepared, Question } from './question.ts'
import { atLeast, atMost } from './question.ts'
import { median, rotated, rounded } from './statistics.ts'
import { startWorkerProcess } from './worker-process.ts'
import type { WorkerProcess } from './worker-process.ts'

const jobs = 20_000
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
  asks: `${jobs} jobs that do nothing, by one and by four worker processes, concurrency ${concurrency}, jobs/s`,
  async answer(bench) {
    const figures: Figure[] = []
    const details: Record<string, unknown> = {}
    const wrong: Round[] = []
    for (const processes of fleets) {
      const rounds = await measureFleet(bench, processes)
      const rate = (name: string) => median((rounds.get(name) ?? []).map((round) => round.jobsPerSecond))
      const ratio = rounded(rate('exora') / rate('graphile-worker'))
      figures.push(atLeast(`drain by ${inWords(processes)}, of graphile-worker tuned`, ratio, 1))
      wrong.push(...(rounds.get('exora') ?? []))
      details[`processes_${processes}`] = {
        jobs_per_second: Object.fromEntries([...rounds.keys()].map((name) => [name, Math.round(rate(name))])),
        rounds: Object.fromEntries(rounds),
      }
    }
    figures.push(
      atMost('drain: jobs run twice', sum(wrong, 'doubled'), 0),
      atMost('drain: jobs not run', sum(wrong, 'lost'), 0),
    )
    return { figures, details: { jobs, concurrency, ...details } }
  },
}

async function measureFleet(bench: Bench, processes: number): Promise<Map<string, Round[]>> {
  const rounds = new Map<string, Round[]>(bench.contenders.map(({ contender }) => [contender.name, []]))
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const prepared of rotated(bench.contenders, round)) {
      const measured = await measureRound(prepared, bench, processes)
      rounds.get(prepared.contender.name)?.push(measured)
      const { name } = prepared.contender
      bench.say(`drain by ${inWords(processes)}, round ${round + 1}, ${name}: ${measured.jobsPerSecond} jobs/s`)
    }
  }
  return rounds
}

async function measureRound({ contender, place, database }: Prepared, bench: Bench, processes: number): Promise<Round> {
  const producer = await contender.openProducer(place)
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
  await bench.server.settle([database])

  const startedAt = performance.now()
  for (const worker of workers) worker.thaw()
  await untilDrained(jobs)
  const seconds = (performance.now() - startedAt) / 1_000

  const counts = await countRuns(workers)
  for (const worker of workers) await worker.stop()
  await producer.close()
  return { jobsPerSecond: Math.round(jobs / seconds), ...counts }
}

async function countRuns(workers: readonly WorkerProcess[]): Promise<{ doubled: number; lost: number }> {
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
