import { setTimeout as delay } from 'node:timers/promises'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import { jobIdOf } from './contender.ts'
import type { Prepared } from './contenders.ts'
import type { Bench, Question } from './question.ts'
import { atMost, missingRows } from './question.ts'
import { median, quantile, rotated, rounded } from '../statistics.ts'
import { startWorkerProcess } from './worker-process.ts'

const jobsPerRound = 200
const warmUpJobs = 60
const concurrency = 24

type Round = { readonly p50: number; readonly p99: number }

/** Enqueuer and worker are two processes; the worker is idle, and has been for some milliseconds. */
export const pickup: Question = {
  name: 'pickup',
  asks: 'commit of an enqueue → first line of the handler, one idle worker process, ms',
  async answer(bench) {
    const rounds = new Map<string, Round[]>(bench.field.prepared.map(({ contender }) => [contender.name, []]))
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const prepared of rotated(bench.field.prepared, round)) {
        const measured = await measureRound(prepared, bench)
        rounds.get(prepared.contender.name)?.push(measured)
        bench.say(`pickup, round ${round + 1}, ${prepared.contender.name}: ${inWords(measured)}`)
      }
    }
    const of = (name: string, part: keyof Round) => median((rounds.get(name) ?? []).map((round) => round[part]))
    const ratio = (part: keyof Round) => rounded(of('exora', part) / of('graphile-worker', part))
    return {
      figures: [
        atMost('pickup p50, of graphile-worker', ratio('p50'), 1),
        atMost('pickup p99, of graphile-worker', ratio('p99'), 1),
      ],
      table: [
        ...[...rounds.keys()].map((contender) => ({
          contender,
          p50_ms: rounded(of(contender, 'p50')),
          p99_ms: rounded(of(contender, 'p99')),
        })),
        ...missingRows(bench),
      ],
      details: {
        jobs_per_round: jobsPerRound,
        rounds_ms: Object.fromEntries(rounds),
      },
      plots: [
        barChart({
          name: 'pickup',
          title: 'From the commit of a job to the first line of its handler',
          unit: 'ms, less is better',
          bars: (['p50', 'p99'] as const).flatMap((group) =>
            [...rounds.keys()].map((label) => ({ label, group, value: rounded(of(label, group)) })),
          ),
        }),
      ],
    }
  },
}

async function measureRound({ contender, place }: Prepared, bench: Bench): Promise<Round> {
  await bench.server.settle(place, contender.tables)
  const producer = await contender.openProducer(place, 1)
  const worker = await startWorkerProcess({ contender: contender.name, place, concurrency, mode: 'tell' })
  const waits: number[] = []
  for (let index = 0; index < warmUpJobs + jobsPerRound; index += 1) {
    const begun = worker.began(index)
    await producer.add(jobIdOf(index))
    const committedAt = process.hrtime.bigint()
    const startedAt = await begun
    if (index >= warmUpJobs) waits.push(Number(startedAt - committedAt) / 1e6)
    await delay(3 + Math.random() * 4)
  }
  await worker.stop()
  await producer.close()
  return { p50: rounded(quantile(waits, 0.5)), p99: rounded(quantile(waits, 0.99)) }
}

const inWords = ({ p50, p99 }: Round) => `p50 ${p50} ms, p99 ${p99} ms`
