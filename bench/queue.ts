/**
 * The queue beside its peers: `npm run bench -- queue [question …] [--rounds n]`. Every figure is a ratio of medians of
 * interleaved rounds of one run.
 */
import { availableParallelism, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { contenderNames, loadContender } from './queue/contenders.ts'
import { drain } from './queue/drain.ts'
import { pickup } from './queue/pickup.ts'
import type { Answer, Bench, Figure, Prepared, Question } from './queue/question.ts'
import { startServer } from './queue/server.ts'
import type { Server } from './queue/server.ts'

/** Another question is another file and a line here. */
const questions: readonly Question[] = [pickup, drain]

const usualRounds = 5

export async function measureQueue(args: readonly string[]): Promise<Report> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string', default: String(usualRounds) } },
  })
  const asked = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (asked.length === 0) throw new Error(`questions about the queue: ${questions.map(({ name }) => name).join(', ')}`)

  const server = await startServer()
  try {
    const contenders = await prepare(server)
    const bench: Bench = { server, contenders, rounds: Number(values.rounds), say: sayWithTime(performance.now()) }
    const details: Record<string, Answer> = {}
    for (const question of asked) {
      bench.say(question.asks)
      details[question.name] = await question.answer(bench)
    }
    const figures = Object.values(details).flatMap((answer) => answer.figures)
    return { figures, ...describe(bench), details }
  } finally {
    await server.close()
  }
}

export type Report = { readonly figures: readonly Figure[]; readonly details: Readonly<Record<string, Answer>> }

async function prepare(server: Server): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = []
  for (const name of contenderNames) {
    const contender = await loadContender(name)
    const database = `bench_${name.replaceAll('-', '_')}`
    const place = await server.createPlace(database)
    await contender.prepare(place)
    prepared.push({ contender, place, database })
  }
  return prepared
}

function describe({ server, contenders, rounds }: Bench) {
  return {
    measured_on: new Date().toISOString().slice(0, 10),
    machine: { cores: availableParallelism(), memory_gib: Math.round(totalmem() / 2 ** 30), node: process.version },
    postgresql: server.settings,
    rounds,
    contenders: contenders.map(({ contender }) => ({ name: contender.name, settings: contender.settings })),
  }
}

const sayWithTime = (startedAt: number) => (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
