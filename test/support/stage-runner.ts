import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { asActor, asService, askAsService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { ensureEndpoint } from '../../db/queries/capacity.ts'
import { claimJobs } from '../../db/queries/claims.ts'
import { systemClock } from '../../platform/clock.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import type { Store } from '../../platform/storage/store.ts'
import { Attempt } from '../../worker/engine/attempt.ts'
import { createByteBudget } from '../../worker/engine/byte-budget.ts'
import { createCapacity } from '../../worker/engine/capacity.ts'
import type { Capacity } from '../../worker/engine/capacity.ts'
import { execute } from '../../worker/engine/execute.ts'
import type { Handler } from '../../worker/engine/handler.ts'
import { createRunContext } from '../../worker/engine/run-context.ts'
import { settle, type Settled } from '../../worker/engine/settle.ts'
import { createHandlers, type HandlerDeps } from '../../worker/handlers/index.ts'
import { createMalwareScan } from '../../worker/providers/malware/index.ts'
import { createLocalOcr } from '../../worker/providers/ocr/index.ts'
import type { Account } from './actors.ts'
import type { Teardown } from './postgres.ts'

const workerId = 'test-worker'

export type StageRunner = {
  readonly store: Store
  upload(by: Account, path: string, fields?: { mimeType?: string; patientId?: string }): Promise<string>
  /** One job, with the real engine's execution and settling; null when none is due. */
  runOne(): Promise<{ readonly type: string; readonly settled: Settled } | null>
  /** Claims a job and does its work, but dies before anything of the end is written. */
  dieInOne(): Promise<string | null>
  /** Until no job is due; the stages that ran. */
  runAll(): Promise<string[]>
}

/** Runs the handlers job by job in the order of the queue, so that a test can stop between any two. */
export async function stageRunner(
  t: Teardown,
  db: Database,
  overrides: Partial<HandlerDeps> = {},
): Promise<StageRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-stages-'))
  const store = await openDiskStore(folder)
  const ocr = createLocalOcr()
  t.teardown(async () => {
    await ocr.close()
    await rm(folder, { recursive: true, force: true })
  })
  const deps: HandlerDeps = {
    store,
    maxPages: 500,
    picturesAtOnce: 2,
    ocr,
    outsideOcr: null,
    ai: null,
    aiUse: { scope: 'whole', deidentify: false },
    clock: systemClock,
    schedules: [],
    mail: { send: () => Promise.reject(new Error('this test sends nothing')) },
    version: 'test',
    malware: createMalwareScan(),
    narrator: null,
    ...overrides,
  }
  const ai = deps.ai ?? deps.narrator
  // As a worker does when it starts.
  if (ai !== null) await asService(db, {}, (tx) => ensureEndpoint(tx, { provider: ai.name, endpoint: ai.model }))
  const handlers = new Map<string, Handler>(
    Object.values(createHandlers(deps)).map((handler) => [handler.job.name, handler]),
  )
  const capacity = createCapacity({ db, workerId, onChange: () => {} })
  t.teardown(() => capacity.whenSettled())
  const stage = { db, handlers, capacity }
  const runOne = () => runNext(stage)
  return {
    store,
    upload: (by, path, fields) => upload(db, store, by, { path, ...fields }),
    runOne,
    dieInOne: async () => (await attemptNext(stage))?.job.type ?? null,
    runAll: async () => {
      const ran: string[] = []
      for (let job = await runOne(); job !== null; job = await runOne()) ran.push(job.type)
      return ran
    },
  }
}

type Stage = { readonly db: Database; readonly handlers: ReadonlyMap<string, Handler>; readonly capacity: Capacity }

async function runNext(stage: Stage) {
  const attempt = await attemptNext(stage)
  if (attempt === null) return null
  const settled = await settle(attempt.job, attempt.ending, {
    db: stage.db,
    workerId,
    wakeIn: () => {},
    outOfTime: new AbortController().signal,
  })
  return { type: attempt.job.type, settled }
}

async function attemptNext({ db, handlers, capacity }: Stage) {
  const [job] = await askAsService(db, (service) =>
    claimJobs(service, {
      workerId,
      types: [...handlers.keys()],
      lanes: ['fast_queue', 'ai_queue', 'background'],
      max: 1,
      leaseMs: 60_000,
      start: null,
    }),
  )
  if (job === undefined) return null
  const bytes = createByteBudget({ maxBytes: 1_000_000_000, onFreed: () => {} })
  const context = { db, workerId, bytes, capacity, log: pino({ level: 'silent' }) }
  const ending = await execute(new Attempt(job), {
    handlers,
    contextFor: (attempt) => createRunContext(attempt, context),
  })
  return { job, ending }
}

async function upload(
  db: Database,
  store: Store,
  by: Account,
  file: { readonly path: string; readonly mimeType?: string; readonly patientId?: string },
): Promise<string> {
  const { size } = await stat(file.path)
  const put = await store.put(createReadStream(file.path), { maxBytes: size })
  const id = randomUUID()
  await asActor(db, by.actor, (tx) =>
    tx.execute(sql`
      select public.register_shell_file(
        p_shell_file_id => ${id},
        p_patient_id => ${file.patientId ?? by.profileId},
        p_filename => 'letter.pdf',
        p_mime_type => ${file.mimeType ?? 'application/pdf'},
        p_size_bytes => ${put.sizeBytes},
        p_sha256 => ${put.sha256},
        p_storage_key => ${put.key},
        p_estimated_pages => 1,
        p_keep_both => true
      )`),
  )
  return id
}
