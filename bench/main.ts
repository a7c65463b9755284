/** `npm run bench -- <question>`: each file here answers one question with a ratio measured within the run. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measureCapacity } from './capacity.ts'
import { measurePickup } from './pickup.ts'
import { measureQueue } from './queue.ts'
import { measureRls } from './rls.ts'

const questions: Readonly<Record<string, (args: readonly string[]) => Promise<unknown>>> = {
  capacity: measureCapacity,
  pickup: measurePickup,
  queue: measureQueue,
  rls: measureRls,
}

const question = process.argv[2] ?? ''
const measure = questions[question]
if (measure === undefined) {
  console.error(`npm run bench -- <question>, one of: ${Object.keys(questions).join(', ')}`)
  process.exit(2)
}
const figures = await measure(process.argv.slice(3))
const folder = join(import.meta.dirname, 'results')
await mkdir(folder, { recursive: true })
await writeFile(join(folder, `${question}.json`), `${JSON.stringify(figures, null, 2)}\n`)
console.log(figures)
