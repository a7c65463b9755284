/** `npm run bench -- <question>`: each file here answers one question with ratios measured within the run. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measureCapacity } from './capacity.ts'
import { measureIngress } from './ingress.ts'
import { measureQueue } from './queue.ts'
import type { Plot } from '../scripts/plots/bar-chart.ts'
import { measureReading } from './reading.ts'
import { measureRls } from './rls.ts'
import { measureUnderstanding } from './understanding.ts'

export type Report = {
  readonly figures: readonly {
    readonly name: string
    readonly value: number
    readonly goal: string | number
    readonly holds: boolean
  }[]
  readonly plots?: readonly Plot[]
  /** Further tables to print, by title; what is in them is in the rest of the report too. */
  readonly tables?: Readonly<Record<string, readonly object[]>>
  /** A part or a smaller copy of the question was asked: its results do not replace those of the whole. */
  readonly isPartial?: boolean
}

const questions: Readonly<Record<string, (args: readonly string[]) => Promise<Report>>> = {
  capacity: measureCapacity,
  ingress: measureIngress,
  queue: measureQueue,
  reading: measureReading,
  rls: measureRls,
  understanding: measureUnderstanding,
}

const [question = '', ...args] = process.argv.slice(2)
const measure = questions[question]
if (measure === undefined) {
  console.error(`npm run bench -- <question>, one of: ${Object.keys(questions).join(', ')}`)
  process.exit(2)
}
const report = await measure(args)
print(report)
if (report.isPartial === true) console.log('Nothing was written: this was not the whole measurement.')
else await write(question, report)

function print({ figures, tables = {} }: Report): void {
  for (const [title, rows] of Object.entries(tables)) {
    console.log(`\n${title}`)
    console.table(rows)
  }
  console.log('\nfigures')
  console.table(figures.map(({ name, value, goal, holds }) => ({ name, value, goal, holds })))
}

async function write(name: string, { plots = [], ...rest }: Report): Promise<void> {
  const folder = join(import.meta.dirname, 'results')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ ...rest, tables: undefined }, null, 2)}\n`)
  for (const plot of plots) await writeFile(join(folder, `${name}-${plot.name}.svg`), plot.svg)
}
