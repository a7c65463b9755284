import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { createWorker, OEM, PSM } from 'tesseract.js'
import type { Worker } from 'tesseract.js'
import type { PageMode } from './page-modes.ts'
import { ocrRefused, ocrUnavailable } from './provider.ts'
import type { OcrImage, OcrProvider, OcrWord } from './provider.ts'
import { readInModes } from './read-in-modes.ts'
import type { TimeLimits } from './read-in-modes.ts'
import { wordsOfTsv } from './tesseract-tsv.ts'

export type WasmTesseractOptions = { readonly limits: TimeLimits; readonly idleMs: number }

const require = createRequire(import.meta.url)

/**
 * Tesseract as WebAssembly with packaged language data: works everywhere, downloads nothing. Worker threads
 * are kept for the next page and ended when idle. It knows no abort, so an aborted worker is terminated.
 */
export function createWasmTesseract(options: Partial<WasmTesseractOptions> = {}): OcrProvider {
  const { limits = defaultLimits, idleMs = 20_000 } = options
  const pool = createPool(idleMs)
  // Several pages are read at once; more threads than cores would only take memory.
  const turn = pLimit(availableParallelism())
  return {
    name: 'tesseract.js',
    version: versionOf('tesseract.js'),
    recognise: (image, { signal }) =>
      turn(() =>
        readInModes(image, (picture, mode, limit) => readPage(pool, { image: picture, mode, signal: limit }), {
          signal,
          limits,
        }),
      ),
    close: pool.close,
  }
}

const defaultLimits: TimeLimits = { firstMs: 50_000, nextMs: 30_000 }

function versionOf(name: string): string {
  const found: unknown = require(`${name}/package.json`)
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'
}

type Reading = { image: OcrImage; mode: PageMode; signal: AbortSignal }

async function readPage(pool: WorkerPool, { image, mode, signal }: Reading): Promise<OcrWord[]> {
  signal.throwIfAborted()
  const worker = await pool.take()
  if (signal.aborted) {
    pool.giveBack(worker)
    throw signal.reason
  }
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const work = recognise(worker, image, mode)
    work.catch(() => {})
    const words = await Promise.race([work, aborted.promise])
    pool.giveBack(worker)
    return words
  } catch (error) {
    await worker.terminate()
    signal.throwIfAborted()
    throw ocrRefused({ cause: error })
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function recognise(worker: Worker, image: OcrImage, mode: PageMode): Promise<OcrWord[]> {
  await worker.setParameters({
    tessedit_pageseg_mode: pageSegmentation[mode],
    user_defined_dpi: String(Math.round(image.dpi)),
  })
  const { data } = await worker.recognize(Buffer.from(image.png), {}, { tsv: true, text: false })
  return wordsOfTsv(data.tsv ?? '')
}

const pageSegmentation = { 4: PSM.SINGLE_COLUMN, 6: PSM.SINGLE_BLOCK, 11: PSM.SPARSE_TEXT }

type WorkerPool = {
  readonly take: () => Promise<Worker>
  readonly giveBack: (worker: Worker) => void
  readonly close: () => Promise<void>
}

/** The timer that ends idle workers does not keep the process alive; the workers themselves would. */
function createPool(idleMs: number): WorkerPool {
  const idle: Worker[] = []
  let timer: NodeJS.Timeout | undefined
  const close = async (): Promise<void> => {
    clearTimeout(timer)
    await Promise.all(idle.splice(0).map((worker) => worker.terminate()))
  }
  return {
    take: async () => idle.pop() ?? (await startWorker()),
    giveBack: (worker) => {
      idle.push(worker)
      clearTimeout(timer)
      timer = setTimeout(() => void close(), idleMs)
    },
    close,
  }
}

/** The model that distributions install with the native one; `tessdata/NOTICE.md` says whose it is. */
const english = { langPath: join(import.meta.dirname, 'tessdata'), gzip: true, cacheMethod: 'none' }

async function startWorker(): Promise<Worker> {
  // Told nothing, the library throws what fails in a thread where nobody can catch it, and a start that failed never ends.
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  try {
    const started = createWorker('eng', OEM.LSTM_ONLY, { ...english, errorHandler: failed.reject })
    return await Promise.race([started, failed.promise])
  } catch (error) {
    throw ocrUnavailable({ cause: error })
  }
}
