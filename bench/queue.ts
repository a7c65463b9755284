/**
 * The queue beside its peers: `npm run bench -- queue [question …] [--rounds n] [--scale 0.1]`. Every figure is a ratio of
 * medians of interleaved rounds of one run.
 */
import { availableParallelism, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Report } from './main.ts'
import { claim } from './queue/claim.ts'
import { prepareField } from './queue/contenders.ts'
import { drain } from './queue/drain.ts'
import { enqueue } from './queue/enqueue.ts'
import { pickup } from './queue/pickup.ts'
import type { Answer, Bench, Question } from './queue/question.ts'
import { rescue } from './queue/rescue.ts'
import { startServer } from './server.ts'

/** Another question is another file and a line here. */
const questions: readonly Question[] = [pickup, drain, enqueue, claim, rescue]

const usualRounds = 5

export async function measureQueue(args: readonly string[]): Promise<Report> {
  const { asked, rounds, scale } = readArgs(args)
  const say = sayWithTime(performance.now())
  const server = await startServer()
  const field = await prepareField(server, say)
  const close = async () => {
    await field.close()
    await server.close()
  }
  const onSignal = () => void close().finally(() => process.exit(130))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const bench: Bench = { server, field, rounds, scale, say }
    const answers = new Map<string, Answer>()
    for (const question of asked) {
      say(`${question.name}: ${question.asks}`)
      answers.set(question.name, await question.answer(bench))
    }
    return { ...describe(bench), ...collect(answers), isPartial: asked.length < questions.length || scale < 1 }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    await close()
  }
}

function readArgs(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(usualRounds) },
      scale: { type: 'string', default: '1' },
    },
  })
  const asked = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (asked.length === 0) throw new Error(`questions about the queue: ${questions.map(({ name }) => name).join(', ')}`)
  return { asked, rounds: Number(values.rounds), scale: Number(values.scale) }
}

function collect(answers: ReadonlyMap<string, Answer>) {
  const given = [...answers.values()]
  const byName = <T>(part: (answer: Answer) => T) =>
    Object.fromEntries([...answers].map(([name, answer]) => [name, part(answer)]))
  return {
    figures: given.flatMap((answer) => answer.figures),
    tables: byName(({ table }) => table),
    plots: given.flatMap((answer) => answer.plots),
    answers: byName(({ table, details }) => ({ medians: table, ...details })),
  }
}

function describe({ server, field, rounds, scale }: Bench) {
  return {
    measured_on: new Date().toISOString().slice(0, 10),
    machine: { cores: availableParallelism(), memory_gib: Math.round(totalmem() / 2 ** 30), node: process.version },
    postgresql: server.settings,
    rounds,
    scale,
    contenders: field.prepared.map(({ contender }) => ({ name: contender.name, settings: contender.settings })),
    missing: field.missing,
  }
}

const sayWithTime = (startedAt: number) => (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
