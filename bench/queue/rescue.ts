import { barChart } from '../../scripts/plots/bar-chart.ts'
import { jobIdOf } from './contender.ts'
import type { ContenderName } from './contender.ts'
import type { Prepared } from './contenders.ts'
import { atMost, missingRows, queuesOf } from './question.ts'
import type { Bench, Question } from './question.ts'
import { median, rounded } from '../statistics.ts'
import { startWorkerProcess } from './worker-process.ts'

const limitSeconds = 10
/** What is later than this is not waited for, and counts as this. */
const patienceMs = 90_000
const notWaitedFor: Partial<Record<ContenderName, string>> = {
  'graphile-worker': 'not measured: by its documentation after four hours',
}

/** From SIGKILL of the worker that runs a job to the first line of its handler in another, idle one. */
export const rescue: Question = {
  name: 'rescue',
  asks: 'a job whose worker is killed runs elsewhere, at default settings (pg-boss: at its quickest), s',
  async answer(bench) {
    const seconds: Record<string, readonly number[]> = {}
    // They mostly wait, so they may wait together.
    await Promise.all(
      queuesOf(bench).map(async (prepared) => {
        const { name } = prepared.contender
        if (notWaitedFor[name] !== undefined) return
        seconds[name] = await measure(prepared, bench)
        bench.say(`rescue, ${name}: ${seconds[name].join(', ')} s`)
      }),
    )
    const measured = Object.entries(seconds).map(([label, values]) => ({
      label,
      value: rounded(median(values), 2),
    }))
    const ours = measured.find(({ label }) => label === 'exora')?.value ?? Number.NaN
    return {
      figures: [atMost('rescue of a killed worker’s job, s', ours, limitSeconds)],
      table: [
        ...Object.entries(seconds).map(([contender, values]) => ({ contender, seconds: values.join(', ') })),
        ...Object.entries(notWaitedFor).map(([contender, remark]) => ({ contender, remark })),
        ...missingRows(bench),
      ],
      details: { seconds },
      plots: [
        barChart({
          name: 'rescue',
          title: 'A killed worker’s job runs elsewhere',
          unit: 'seconds after the kill, less is better',
          bars: measured.filter(({ value }) => Number.isFinite(value)).toSorted((a, b) => a.value - b.value),
        }),
      ],
    }
  },
}

async function measure(prepared: Prepared, bench: Bench): Promise<readonly number[]> {
  const times = prepared.contender.name === 'exora' ? Math.min(bench.rounds, 5) : 1
  const seconds: number[] = []
  for (let round = 0; round < times; round += 1) seconds.push(await measureOnce(prepared, round))
  return seconds
}

async function measureOnce({ contender, place }: Prepared, index: number): Promise<number> {
  const producer = await contender.openProducer(place, 1)
  await producer.clear()
  const task = { contender: contender.name, place, concurrency: 1, mode: 'hang' } as const
  const victim = await startWorkerProcess(task)
  const begun = victim.began(index)
  await producer.add(jobIdOf(index))
  await begun
  const heir = await startWorkerProcess(task)
  const begunAgain = heir.began(index)
  const killedAt = process.hrtime.bigint()
  await victim.kill()
  const tooLate = AbortSignal.timeout(patienceMs)
  const at = await Promise.race([
    begunAgain,
    new Promise<null>((resolve) => tooLate.addEventListener('abort', () => resolve(null))),
  ])
  await heir.kill()
  await producer.close()
  return at === null ? patienceMs / 1_000 : rounded(Number(at - killedAt) / 1e9, 2)
}
