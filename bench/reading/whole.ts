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

const pagesOfScan = 12

/** Documents uploaded to a server and read by a worker that may use one core, as people would. */
export const whole: Question = {
  name: 'whole',
  asks: 'from the upload to the mapped text by a real worker: pages a second on one core, most memory of all its processes',
  async answer(bench) {
    const system = await openSystem(bench)
    try {
      const read = async (file: string, path: string, pageCount: number) => {
        const row = { file, ...(await system.read(path, pageCount)) }
        bench.say(`${file}: ${row.pages_per_second} pages/s, peak ${row.peak_mb} MB`)
        return row
      }
      const readText = async (pageCount: number) => {
        const path = await writePdf(bench, `text-${pageCount}`, textLayerPdf('table', pageCount))
        return await read(`${pageCount} pages, text layer`, path, pageCount)
      }
      // The first of them finds code to compile and pools to open.
      await readText(20)
      const short = await readText(200)
      const long = await readText(500)
      const pdfium = await loadPdfium()
      const scans = await scannedPages(pdfium, textLayerPdf('letter', pagesOfScan), { dpi: 200, skewDegrees: 1.2 })
      const path = await writePdf(bench, 'scans', await pdfOfScans(scans, 200))
      const scanned = await read(`${pagesOfScan} pages, scanned`, path, pagesOfScan)
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
        table: [short, long, scanned],
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

type Reading = { readonly pages_per_second: number; readonly peak_mb: number }

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
        await mapped(owner, uploaded)
        return uploaded
      })
      const [times] = await owner<{ read_s: number; read: number }[]>`
        select extract(epoch from max(finished_at) - min(started_at))::float8 as read_s,
               (select count(*)::int from shell_file_pages where shell_file_id = ${id} and word_count > 20) as read
        from shell_file_stages
        where shell_file_id = ${id}`
      if (times === undefined || times.read !== pageCount) throw new Error(`not all pages of ${path} were read`)
      return { pages_per_second: rounded(pageCount / times.read_s, 1), peak_mb: peakMb }
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

/** Until the text is mapped. A stage that ends in any other way ends the measurement. */
async function mapped(owner: Sql, id: string): Promise<void> {
  for (;;) {
    const stages = await owner<{ stage: string; status: string }[]>`
      select stage, status from shell_file_stages where shell_file_id = ${id}`
    if (stages.some(({ stage, status }) => stage === 'spatial_mapping' && status === 'completed')) return
    const stopped = stages.find(({ status }) => !['pending', 'running', 'completed'].includes(status))
    if (stopped !== undefined) throw new Error(`${stopped.stage} ended as ${stopped.status}`)
    await delay(100)
  }
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

/** Ours as it is deployed, on the first core; its children inherit that. The lane of what comes after the mapping is left out. */
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
      WORKER_LANES: 'fast_queue,background',
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
