/**
 * A worker process of one contender: `fork` with one JSON argument (`WorkerTask`). It tells what it runs over the
 * channel to its parent; times are of the monotonic clock, which all processes of a machine share.
 */
import { loadContender } from './contenders.ts'
import { indexOf } from './contender.ts'
import type { FromWorker, ToWorker, WorkerTask } from './worker-process.ts'

const reportEveryMs = 10

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own parent
const task = JSON.parse(process.argv[2] ?? '') as WorkerTask
const say = (message: FromWorker) => process.send?.(message)
const runs: number[] = []
const contender = await loadContender(task.contender)

const onRun = {
  count: (jobId: string) => {
    runs.push(indexOf(jobId))
  },
  tell: (jobId: string) => {
    const at = process.hrtime.bigint()
    say({ kind: 'began', index: indexOf(jobId), at: String(at) })
  },
  hang: (jobId: string) => {
    say({ kind: 'began', index: indexOf(jobId), at: String(process.hrtime.bigint()) })
    return new Promise<void>(() => {})
  },
}[task.mode]

const worker = await contender.startWorker(task.place, { concurrency: task.concurrency, onRun })
let reported = 0
const report = setInterval(() => {
  if (runs.length === reported) return
  reported = runs.length
  say({ kind: 'ran', runs: reported })
}, reportEveryMs)

process.on('message', (message: ToWorker) => {
  if (message.kind === 'forget') {
    runs.length = 0
    reported = 0
    say({ kind: 'forgot' })
  }
  if (message.kind === 'tell_runs') say({ kind: 'runs', indexes: runs })
  if (message.kind === 'stop') {
    clearInterval(report)
    void worker.stop().finally(() => process.disconnect())
  }
})
// Nobody is left to measure for.
process.on('disconnect', () => process.exit())
say({ kind: 'ready' })
