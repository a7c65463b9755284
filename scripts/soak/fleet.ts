import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { wait } from '../../platform/wait.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { exitCodes, readyLine } from './worker-exits.ts'

/** The worker processes of a soak. Each that ends, for whatever reason, is followed by a new one on its lanes. */
export type Fleet = {
  running(): readonly Worker[]
  /** All that there have been, in their order. */
  readonly workers: readonly Worker[]
  /** By the clock of this machine, which is also that of the database. */
  readonly silences: readonly Silence[]
  kill(worker: Worker): void
  /** Stands still for that long. */
  freeze(worker: Worker, ms: number): Promise<void>
  ask(worker: Worker): void
  /** Errors in the logs of workers that had begun, and whatever was said outside of any log. */
  readComplaints(): Promise<readonly Complaint[]>
  stop(): Promise<void>
}

export type Worker = {
  readonly id: string
  readonly lanes: readonly JobLane[]
  readonly process: ChildProcess
  isFrozen: boolean
  wasAsked: boolean
  wasKilled: boolean
  end: WorkerEnd | null
}

export type Silence = { readonly workerId: string; readonly at: number }
export type WorkerEnd = 'killed' | 'killed_itself' | 'stopped' | 'stop_failed' | 'start_failed' | 'crashed'
export type Complaint = { readonly workerId: string; readonly line: string }

export type FleetOptions = {
  readonly folder: string
  readonly lanes: readonly (readonly JobLane[])[]
  readonly settings: { readonly url: string; readonly providerUrl: string; readonly leaseMs: number }
}

const script = join(import.meta.dirname, 'worker.ts')

export async function startFleet({ folder, lanes, settings }: FleetOptions): Promise<Fleet> {
  await mkdir(folder, { recursive: true })
  const workers: Worker[] = []
  const silences: Silence[] = []
  let isStopping = false

  function start(served: readonly JobLane[]): void {
    const id = `soak-${workers.length + 1}`
    const logPath = join(folder, `${id}.log`)
    const log = openSync(logPath, 'a')
    const args = [script, JSON.stringify({ ...settings, workerId: id, lanes: served })]
    const { PATH, NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env
    const env = { PATH, NODE_OPTIONS, NODE_COMPILE_CACHE }
    const child = spawn(process.execPath, args, { stdio: ['pipe', log, log], env })
    closeSync(log)
    const worker: Worker = {
      id,
      lanes: served,
      process: child,
      isFrozen: false,
      wasAsked: false,
      wasKilled: false,
      end: null,
    }
    workers.push(worker)
    child.once('exit', (code, signal) => {
      worker.end = endOf(worker, code, signal)
      if (worker.end === 'crashed' && !wasReady(readFileSync(logPath, 'utf8'))) worker.end = 'start_failed'
      if (worker.end === 'killed_itself') fallSilent(worker)
      if (!isStopping) start(served)
    })
  }

  const fallSilent = ({ id }: Worker) => silences.push({ workerId: id, at: Date.now() })
  for (const served of lanes) start(served)
  return {
    workers,
    silences,
    running: () => workers.filter((worker) => isUnharmed(worker)),
    kill(worker) {
      fallSilent(worker)
      worker.wasKilled = true
      worker.process.kill('SIGKILL')
    },
    async freeze(worker, ms) {
      worker.isFrozen = true
      fallSilent(worker)
      worker.process.kill('SIGSTOP')
      await wait(ms)
      worker.process.kill('SIGCONT')
      worker.isFrozen = false
    },
    ask(worker) {
      worker.wasAsked = true
      worker.process.kill('SIGTERM')
    },
    readComplaints: () => readComplaints(folder),
    async stop() {
      isStopping = true
      await Promise.all(workers.filter(({ end }) => end === null).map((worker) => stopWorker(worker)))
    },
  }
}

const isUnharmed = ({ end, isFrozen, wasAsked, wasKilled }: Worker) =>
  end === null && !isFrozen && !wasAsked && !wasKilled

function endOf({ wasAsked, wasKilled }: Worker, code: number | null, signal: string | null): WorkerEnd {
  if (signal === 'SIGKILL') return wasKilled ? 'killed' : 'killed_itself'
  if (code === exitCodes.startFailed) return 'start_failed'
  // It was asked before it listened.
  if (signal === 'SIGTERM') return 'stopped'
  if (code === exitCodes.stopFailed) return 'stop_failed'
  return wasAsked && code === exitCodes.stopped ? 'stopped' : 'crashed'
}

const wasReady = (log: string) => log.split('\n').includes(readyLine)

const patienceMs = 20_000

async function stopWorker(worker: Worker): Promise<void> {
  const exited = once(worker.process, 'exit')
  worker.wasAsked = true
  worker.process.kill('SIGCONT')
  worker.process.kill('SIGTERM')
  const timer = setTimeout(() => {
    worker.wasKilled = true
    worker.process.kill('SIGKILL')
  }, patienceMs)
  await exited
  clearTimeout(timer)
}

async function readComplaints(folder: string): Promise<readonly Complaint[]> {
  const complaints: Complaint[] = []
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8')
    if (!wasReady(text)) continue
    const lines = text
      .split('\n')
      .filter((line) => !['', readyLine].includes(line) && !line.startsWith('{"level":"warn"'))
    complaints.push(...lines.map((line) => ({ workerId: name.replace('.log', ''), line })))
  }
  return complaints
}
