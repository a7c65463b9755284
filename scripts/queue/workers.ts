import { readQueueWorkers } from './operations.ts'
import type { WorkerSeen } from './operations.ts'
import { operate } from './answer.ts'
import type { Answer, QueueDeps } from './answer.ts'
import { age, left, paint, right, several, table } from './table.ts'
import type { Cell } from './table.ts'

export async function showWorkers(deps: QueueDeps): Promise<Answer> {
  const workers = await operate(deps, readQueueWorkers)
  return {
    lines: workers.length === 0 ? nobody : [...workersTable(workers), '', conclusion(workers)],
    json: { workers },
    exitCode: workers.length === 0 ? 1 : 0,
  }
}

const nobody = ['No worker is there: nothing is done until one is started (npm run worker, or npm start).']

const columns = [
  left('worker'),
  left('host'),
  right('pid'),
  left('lanes'),
  right('running'),
  right('last seen'),
  right('up'),
  left('version'),
  left('state'),
]

const workersTable = (workers: readonly WorkerSeen[]): string[] =>
  table(
    columns,
    workers.map((worker): Cell[] => [
      worker.worker_id,
      worker.host,
      String(worker.pid),
      worker.job_lanes.join(', '),
      `${worker.running}/${worker.concurrency}`,
      age(worker.last_seen_seconds),
      age(worker.started_seconds),
      worker.version,
      stateOf(worker),
    ]),
  )

function stateOf(worker: WorkerSeen): Cell {
  if (worker.is_silent) return { text: 'silent', style: 'red' }
  return worker.is_stopping ? { text: 'stopping', style: 'yellow' } : { text: 'alive', style: 'green' }
}

function conclusion(workers: readonly WorkerSeen[]): string {
  const silent = workers.filter((worker) => worker.is_silent).length
  if (silent === 0) return paint('green', 'Nothing to do.')
  const words = `${several(silent, 'worker')} fell silent: their jobs run elsewhere when their leases end; look at those machines.`
  return paint('yellow', `! ${words}`)
}
