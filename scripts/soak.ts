/**
 * Hours in minutes: `npm run soak -- --minutes 5 [--seed 7] [--keep]`. Several workers on a PostgreSQL of their own, load,
 * every kind of trouble, and a checker that asks what became of every job. Ends with 1 when something is not true.
 */
import { mkdtemp, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runMain } from '../platform/run-main.ts'
import { listenForStop } from '../platform/stop-signal.ts'
import { longPlan } from './soak/plan.ts'
import { tellReport } from './soak/report.ts'
import { runSoak } from './soak/run.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const minutes = Number(options.minutes)
const seed = Number(options.seed ?? Date.now() % 1_000_000)
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('npm run soak -- [--minutes <number>] [--seed <whole number>] [--keep]')
  process.exit(2)
}

await runMain(async () => {
  const stop = listenForStop()
  stop.insisted.addEventListener('abort', () => process.exit(130), { once: true })
  const folder = await mkdtemp(join(tmpdir(), 'exora-soak-'))
  console.log(`Seed ${seed}, ${minutes} minutes, everything in ${folder}`)
  const startedAt = performance.now()
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`)
  try {
    const report = await runSoak(longPlan(minutes, seed), { folder, say, signal: stop.asked })
    for (const line of tellReport(report)) console.log(line)
    await writeFigures({ seed, minutes, figures: report.figures })
    if (report.findings.some(({ against }) => against.length > 0)) process.exitCode = 1
  } finally {
    stop.dispose()
    if (options.keep) console.log(`Kept: ${folder}`)
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})

/** In a checkout, where the other measurements lie. */
async function writeFigures(results: Readonly<Record<string, unknown>>) {
  const bench = join(import.meta.dirname, '../bench')
  if (!(await stat(bench).catch(() => null))?.isDirectory()) return
  await mkdir(join(bench, 'results'), { recursive: true })
  await writeFile(join(bench, 'results', 'soak.json'), `${JSON.stringify(results, null, 2)}\n`)
}
