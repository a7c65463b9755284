import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import { createWorker, PSM } from 'tesseract.js'
import type { Worker } from 'tesseract.js'
import { mergeReadings, pageModesFor, withoutSpecks } from './page-modes.ts'
import type { PageMode } from './page-modes.ts'
import { meanConfidence, ocrUnavailable } from './provider.ts'
import type { OcrImage, OcrProvider, OcrWord } from './provider.ts'
import { wordsOfTsv } from './tesseract-tsv.ts'

export type WasmTesseractOptions = { readonly timeoutMs: number; readonly idleMs: number }

const require = createRequire(import.meta.url)

/**
 * Tesseract as WebAssembly with packaged language data: works everywhere, downloads nothing. One worker thread per page
 * mode; they are kept for the next page and ended when idle. It knows no abort, so an aborted worker is terminated.
 */
export function createWasmTesseract(options: Partial<WasmTesseractOptions> = {}): OcrProvider {
  const { timeoutMs = 120_000, idleMs = 20_000 } = options
  const pool = createPool(idleMs)
  // Several pages are read at once; more threads than cores would only take memory.
  const turn = pLimit(availableParallelism())
  return {
    name: 'tesseract.js',
    version: versionOf('tesseract.js'),
    recognise: async (image, { signal }) => {
      // From when its turn has come.
      const limit = () => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const readings = await Promise.all(
        pageModesFor(image).map((mode) => turn(() => readPage(pool, { image, mode, signal: limit() }))),
      )
      const words = withoutSpecks(mergeReadings(readings[0] ?? [], readings[1] ?? []), image.dpi)
      return { words, confidence01: meanConfidence(words) }
    },
    close: pool.close,
  }
}

function versionOf(name: string): string {
  const found: unknown = require(`${name}/package.json`)
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'
}

type Reading = { image: OcrImage; mode: PageMode; signal: AbortSignal }

async function readPage(pool: WorkerPool, { image, mode, signal }: Reading): Promise<OcrWord[]> {
  signal.throwIfAborted()
  const worker = await pool.take(mode)
  if (signal.aborted) {
    pool.giveBack(mode, worker)
    throw signal.reason
  }
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const work = recognise(worker, image, mode)
    work.catch(() => {})
    const words = await Promise.race([work, aborted.promise])
    pool.giveBack(mode, worker)
    return words
  } catch (error) {
    await worker.terminate()
    signal.throwIfAborted()
    throw ocrUnavailable({ cause: error })
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

const pageSegmentation = { 3: PSM.AUTO, 6: PSM.SINGLE_BLOCK, 11: PSM.SPARSE_TEXT }

type WorkerPool = {
  readonly take: (mode: PageMode) => Promise<Worker>
  readonly giveBack: (mode: PageMode, worker: Worker) => void
  readonly close: () => Promise<void>
}

/** Idle workers by mode. The timer that ends them does not keep the process alive; the workers themselves would. */
function createPool(idleMs: number): WorkerPool {
  const idle = new Map<PageMode, Worker[]>()
  let timer: NodeJS.Timeout | undefined
  const close = async (): Promise<void> => {
    clearTimeout(timer)
    const workers = [...idle.values()].flat()
    idle.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return {
    take: async (mode) => idle.get(mode)?.pop() ?? (await startWorker()),
    giveBack: (mode, worker) => {
      idle.set(mode, [...(idle.get(mode) ?? []), worker])
      clearTimeout(timer)
      timer = setTimeout(() => void close(), idleMs)
    },
    close,
  }
}

async function startWorker(): Promise<Worker> {
  const data = dirname(require.resolve('@tesseract.js-data/eng/package.json'))
  return createWorker('eng', 1, { langPath: join(data, '4.0.0_best_int'), gzip: true, cacheMethod: 'none' })
}
