/**
 * The reading: `npm run bench -- reading [question …] [--rounds n] [--corpus FOLDER]`. Speed is measured on made
 * documents beside other readers of this machine; errors on the development corpus, where there is one.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findCorpus } from '../scripts/quality/corpus.ts'
import type { Report } from './main.ts'
import { errors } from './reading/errors.ts'
import { writeQuality } from './reading/quality-page.ts'
import type { Answer, Bench, Question } from './reading/question.ts'
import { speed } from './reading/speed.ts'
import { whole } from './reading/whole.ts'

/** Another question is another file and a line here. */
const questions: readonly Question[] = [errors, speed, whole]

export async function measureReading(args: readonly string[]): Promise<Report> {
  const { asked, rounds, corpus } = readArgs(args)
  const folder = await mkdtemp(join(tmpdir(), 'exora-bench-reading-'))
  const startedAt = performance.now()
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
  const bench: Bench = { rounds, say, folder, corpus }
  try {
    const answers = new Map<string, Answer>()
    for (const question of asked) {
      say(`${question.name}: ${question.asks}`)
      answers.set(question.name, await question.answer(bench))
    }
    const given = [...answers.values()]
    const isPartial = asked.length < questions.length
    if (!isPartial && corpus !== null) await writeQuality(answers)
    return {
      figures: given.flatMap(({ figures }) => figures),
      tables: Object.fromEntries([...answers].map(([name, { table }]) => [name, table])),
      plots: given.flatMap(({ plots }) => plots),
      ...Object.fromEntries([...answers].map(([name, { table, details }]) => [name, { table, ...details }])),
      isPartial,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function readArgs(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '3' }, corpus: { type: 'string' } },
  })
  const asked = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (asked.length === 0)
    throw new Error(`questions about the reading: ${questions.map(({ name }) => name).join(', ')}`)
  return { asked, rounds: Number(values.rounds), corpus: findCorpus(values.corpus) }
}
