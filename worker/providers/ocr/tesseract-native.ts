import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'
import { mergeReadings, pageModesFor, withoutSpecks } from './page-modes.ts'
import type { PageMode } from './page-modes.ts'
import { meanConfidence, ocrRefused, ocrUnavailable } from './provider.ts'
import type { OcrImage, OcrProvider, OcrWord } from './provider.ts'
import { wordsOfTsv } from './tesseract-tsv.ts'

export type NativeTesseractOptions = { readonly command: string; readonly timeoutMs: number }

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

/** The machine's own tesseract, one process per reading; both page modes run side by side. */
export function createNativeTesseract(version: string, options: Partial<NativeTesseractOptions> = {}): OcrProvider {
  const { command = 'tesseract', timeoutMs = 60_000 } = options
  // Several pages are read at once; more processes than cores would only take memory, some 75 MB each.
  const turn = pLimit(availableParallelism())
  return {
    name: 'tesseract',
    version,
    recognise: async (image, { signal }) => {
      // From when its turn has come.
      const limit = () => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const readings = await Promise.all(
        pageModesFor(image).map((mode) => turn(() => readPage({ command, image, mode, signal: limit() }))),
      )
      signal.throwIfAborted()
      const words = withoutSpecks(mergeReadings(readings[0] ?? [], readings[1] ?? []), image.dpi)
      return { words, confidence01: meanConfidence(words) }
    },
    close: async () => {},
  }
}

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
  if (code !== 0) throw ocrRefused({ exitCode: code })
  return wordsOfTsv(Buffer.concat(output).toString('utf8'))
}
