import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { migrate } from '../../db/migrate.ts'
import { loadPdfium } from '../../platform/rendering/pdfium.ts'
import { signUpMany, startOurs } from '../ingress/servers.ts'
import type { HttpProcess, Uploader } from '../ingress/servers.ts'
import { startServer } from '../server.ts'
import type { Place } from '../server.ts'
import { rounded } from '../statistics.ts'
import { pdfOfScans, scannedPages, textLayerPdf } from './made-documents.ts'
import { peakMbWhile } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { atLeast, atMost } from './question.ts'

const pagesOfScan = 24

/** Documents uploaded to a server and read by a worker that may use one core, as people would. */
export const whole: Question = {
  name: 'whole',
  asks: 'from the upload to the mapped text by a real worker: pages a second on one core, most memory of all its processes',
  async answer(bench) {
    const system = await openSystem(bench)
    try {
      const text = async (pageCount: number) =>
        await writePdf(bench, `text-${pageCount}`, textLayerPdf('table', pageCount))
      const pdfium = await loadPdfium()
      const scans = await scannedPages(pdfium, textLayerPdf('letter', pagesOfScan), { dpi: 200, skewDegrees: 1.2 })
      // The first of them finds code to compile and pools to open.
      await system.read(await text(20), 20)
      const short = await system.read(await text(200), 200)
      const long = await system.read(await text(500), 500)
      const scanned = await system.read(await writePdf(bench, 'scans', await pdfOfScans(scans, 200)), pagesOfScan)
      const table = [
        { file: '200 pages, text layer', ...short },
        { file: '500 pages, text layer', ...long },
        { file: `${pagesOfScan} pages, scanned`, ...scanned },
      ]
      for (const row of table) bench.say(`${row.file}: ${row.pages_per_second} pages/s, peak ${row.peak_mb} MB`)
      return {
        figures: [
          atLeast(
            '200 pages with a text layer, upload to mapped text, pages/s on one core',
            short.pages_per_second,
            20,
          ),
          atLeast('500 pages with a text layer, upload to mapped text, pages/s on one core', long.pages_per_second, 20),
          atMost('peak RSS of the worker and its children, 500 pages with a text layer, MB', long.peak_mb, 700),
          atMost(`peak RSS of the worker and its children, ${pagesOfScan} scanned pages, MB`, scanned.peak_mb, 700),
        ],
        table,
        details: { pinned: 'worker and its children to one core, database and server to the others' },
        plots: [],
      }
    } finally {
      await system.close()
    }
  },
}

async function writePdf({ folder }: Bench, name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, `${name}.pdf`)
  await writeFile(path, bytes)
  return path
}

type Reading = { readonly pages_per_second: number; readonly all_stages_s: number; readonly peak_mb: number }

async function openSystem(bench: Bench) {
  const database = await startServer()
  const place = await database.createPlace('bench_reading')
  await migrate(place.owner)
  const owner = database.superuserIn(place, 1)
  const folder = join(bench.folder, 'exora')
  const server = await startOurs(place, folder, { RATE_LIMIT_MEMORY: '0' })
  const [person] = await signUpMany(server.address, 1)
  if (person === undefined) throw new Error('nobody may upload')
  const worker = await startWorker(place, folder)
  return {
    async read(path: string, pageCount: number): Promise<Reading> {
      const { result: id, peakMb } = await peakMbWhile(worker.pid, async () => {
        const uploaded = await upload(server, person, path)
        await ended(owner, uploaded)
        return uploaded
      })
      const [times] = await owner<{ read_s: number; all_s: number; read: number }[]>`
        select extract(epoch from max(finished_at) filter (where stage = 'spatial_mapping') - min(started_at))::float8 as read_s,
               extract(epoch from max(finished_at) - min(started_at))::float8 as all_s,
               (select count(*)::int from shell_file_pages where shell_file_id = ${id} and word_count > 20) as read
        from shell_file_stages
        where shell_file_id = ${id}`
      if (times === undefined || times.read !== pageCount) throw new Error(`not all pages of ${path} were read`)
      return {
        pages_per_second: rounded(pageCount / times.read_s, 1),
        all_stages_s: rounded(times.all_s, 1),
        peak_mb: peakMb,
      }
    },
    async close() {
      await worker.stop()
      await server.stop()
      await owner.end()
      await database.close()
    },
  }
}

type Sql = Awaited<ReturnType<typeof startServer>>['superuser']

/** Until every stage has an end, whichever. */
async function ended(owner: Sql, id: string): Promise<void> {
  const open = async () =>
    (await owner`select 1 from shell_file_stages where shell_file_id = ${id} and status in ('pending', 'running')`)
      .length
  const isHeld = async () =>
    (await owner`select 1 from shell_file_stages where shell_file_id = ${id} and status = 'held'`).length
  while ((await open()) > 0 && (await isHeld()) === 0) await delay(100)
}

async function upload(server: HttpProcess, person: Uploader, path: string): Promise<string> {
  const form = new FormData()
  form.set('patient_id', person.profileId)
  form.set('file', new Blob([new Uint8Array(await readFile(path))], { type: 'application/pdf' }), 'made.pdf')
  const answer = await fetch(`${server.address}/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}`, 'idempotency-key': path },
    body: form,
  })
  return z.object({ shell_file_id: z.string() }).parse(await answer.json()).shell_file_id
}

/** Ours as it is deployed, on the first core; its children inherit that. */
async function startWorker(place: Place, folder: string) {
  const script = fileURLToPath(new URL('../../worker/main.ts', import.meta.url))
  const child = spawn('taskset', ['-c', '0', process.execPath, script], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: place.app,
      DATA_DIR: folder,
      STORAGE_URL: `file:${join(folder, 'files')}`,
      LOG_LEVEL: 'info',
      HEALTH_CHECK_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  await Promise.race([once(lines, 'line'), exited.then(() => Promise.reject(new Error('the worker did not start')))])
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}
