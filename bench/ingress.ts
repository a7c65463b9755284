/**
 * The ingress: `npm run bench -- ingress [question …] [--rounds n]`. What belongs to speed is a ratio to a bare server of
 * the same run, on the same disk and the same PostgreSQL; what belongs to truth is counted.
 */
import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Report } from './main.ts'
import { identical } from './ingress/identical.ts'
import { listeners } from './ingress/listeners.ts'
import { memory } from './ingress/memory.ts'
import type { Answer, Bench, Question } from './ingress/question.ts'
import { rates } from './ingress/rates.ts'
import { prepareDatabases, signUpMany, startBare, startOurs } from './ingress/servers.ts'
import { storm } from './ingress/storm.ts'
import { startServer } from './server.ts'

/** Another question is another file and a line here. */
const questions: readonly Question[] = [rates, memory, listeners, identical, storm]

const accounts = 1_000

export async function measureIngress(args: readonly string[]): Promise<Report> {
  const { asked, rounds } = readArgs(args)
  const { bench, close } = await openBench(rounds)
  try {
    const answers = new Map<string, Answer>()
    for (const question of asked) {
      bench.say(`${question.name}: ${question.asks}`)
      answers.set(question.name, await question.answer(bench))
    }
    const given = [...answers.values()]
    return {
      figures: given.flatMap(({ figures }) => figures),
      tables: Object.fromEntries([...answers].map(([name, { table }]) => [name, table])),
      plots: given.flatMap(({ plots }) => plots),
      ...Object.fromEntries([...answers].map(([name, { table, details }]) => [name, { table, ...details }])),
      isPartial: asked.length < questions.length,
    }
  } finally {
    await close()
  }
}

function readArgs(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '3' } },
  })
  const asked = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (asked.length === 0)
    throw new Error(`questions about the ingress: ${questions.map(({ name }) => name).join(', ')}`)
  return { asked, rounds: Number(values.rounds) }
}

async function openBench(rounds: number): Promise<{ readonly bench: Bench; readonly close: () => Promise<void> }> {
  const startedAt = performance.now()
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
  const folder = await mkdtemp(join(tmpdir(), 'exora-bench-ingress-'))
  const folders = { exora: join(folder, 'exora'), bare: join(folder, 'bare') }
  const database = await startServer()
  const places = { exora: await database.createPlace('bench_ingress'), bare: await database.createPlace('bench_bare') }
  await prepareDatabases(places.exora, places.bare, (place) => database.superuserIn(place, 1))
  const owner = database.superuserIn(places.exora, 1)
  // The ledger and the audit let nobody take rows away; here they are thrown away between measurements.
  await owner`set session_replication_role = replica`
  const first = await startOurs(places.exora, folders.exora)
  const uploaders = await signUpMany(first.address, accounts)
  await first.stop()
  say(`${accounts} accounts have signed up`)

  const bench: Bench = {
    rounds,
    say,
    uploaders,
    start: (side, env) =>
      side === 'exora' ? startOurs(places.exora, folders.exora, env) : startBare(places.bare, folders.bare),
    async forget(side) {
      if (side === 'exora') await owner.unsafe(`truncate ${ours.join(', ')} cascade`)
      await rm(folders[side], { recursive: true, force: true })
      await mkdir(folders[side], { recursive: true })
    },
    settle: () => database.settle(places.exora, ours),
    async count(question) {
      const [row] = await owner.unsafe<{ count: string }[]>(question)
      return Number(row?.count ?? Number.NaN)
    },
    async objects() {
      const found = await readdir(join(folders.exora, 'files'), { recursive: true, withFileTypes: true })
      return found.filter((entry) => entry.isFile()).length
    },
  }
  const close = async () => {
    await owner.end()
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { bench, close }
}

const ours = [
  'public.shell_files',
  'public.job_queue',
  'public.usage_events',
  'public.user_usage_tracking',
  'public.idempotency_keys',
]
