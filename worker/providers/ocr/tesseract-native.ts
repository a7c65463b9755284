import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'
import type { PageMode } from './page-modes.ts'
import { ocrRefused, ocrUnavailable } from './provider.ts'
import type { OcrImage, OcrProvider, OcrWord } from './provider.ts'
import { readInModes } from './read-in-modes.ts'
import type { TimeLimits } from './read-in-modes.ts'
import { wordsOfTsv } from './tesseract-tsv.ts'

export type NativeTesseractOptions = { readonly command: string; readonly limits: TimeLimits }

/** Null where there is no `tesseract` with English on the path. */
export function findNativeTesseract(command = 'tesseract'): { version: string } | null {
  try {
    const languages = execFileSync(command, ['--list-langs'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    if (!/^eng$/m.test(languages)) return null
    const text = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return { version: /\d[\w.-]*/.exec(text)?.[0] ?? 'unknown' }
  } catch {
    return null
  }
}

/** The machine's own tesseract, one process per reading. */
export function createNativeTesseract(version: string, options: Partial<NativeTesseractOptions> = {}): OcrProvider {
  const { command = 'tesseract', limits = defaultLimits } = options
  // Several pages are read at once; more processes than cores would only take memory, some 75 MB each.
  const turn = pLimit(availableParallelism())
  return {
    name: 'tesseract',
    version,
    recognise: (image, { signal }) =>
      turn(() =>
        readInModes(image, (picture, mode, limit) => readPage({ command, image: picture, mode, signal: limit }), {
          signal,
          limits,
        }),
      ),
    close: async () => {},
  }
}

const defaultLimits: TimeLimits = { firstMs: 25_000, nextMs: 15_000 }

type Reading = { command: string; image: OcrImage; mode: PageMode; signal: AbortSignal }

async function readPage({ command, image, mode, signal }: Reading): Promise<OcrWord[]> {
  const args = ['-', '-', '-l', 'eng', '--psm', String(mode), '--dpi', String(Math.round(image.dpi)), 'tsv']
  const child = spawn(command, args, {
    // Without this limit it is 3 to 20 times slower on busy cores.
    env: { PATH: process.env['PATH'], TESSDATA_PREFIX: process.env['TESSDATA_PREFIX'], OMP_THREAD_LIMIT: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  // A child that was killed closes its input early; its exit tells why.
  child.stdin.on('error', () => {})
  child.stdin.end(image.png)
  const [code] = await once(child, 'close').catch((error: unknown) => {
    signal.throwIfAborted()
    throw ocrUnavailable({ cause: error })
  })
  signal.throwIfAborted()
  if (code !== 0) throw ocrRefused({ exitCode: code })
  return wordsOfTsv(Buffer.concat(output).toString('utf8'))
}
