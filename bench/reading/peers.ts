/** Other readers, each where it is installed: what they need for the same pages is what ours is compared with. */
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const outputBytes = 200_000_000

export type Peer = {
  readonly name: string
  readonly reads: 'text_layer' | 'scans'
  /** Reads all pages once. */
  read(document: MeasuredDocument): Promise<void>
}

export type MeasuredDocument = {
  readonly path: string
  readonly pageCount: number
  /** The pages' pictures as scanned; none where there is a text layer. */
  readonly pictures: readonly string[]
}

/** One process on one core, a page after the other, its default layout: what reading costs at the least. */
const tesseract: Peer = {
  name: 'tesseract alone',
  reads: 'scans',
  async read({ pictures }) {
    for (const picture of pictures) {
      const options = { env: { ...process.env, OMP_THREAD_LIMIT: '1' }, maxBuffer: outputBytes }
      await run('tesseract', [picture, '-', '-l', 'eng', '--psm', '3', 'tsv'], options)
    }
  },
}

/** A whole document reader: deskews, reads with tesseract, on all cores. */
const ocrmypdf: Peer = {
  name: 'ocrmypdf --deskew',
  reads: 'scans',
  async read({ path }) {
    const args = ['--deskew', '--jobs', String(cpus().length), '--output-type', 'none', '--sidecar', `${path}.txt`]
    await run('ocrmypdf', [...args, path, '-'], { maxBuffer: outputBytes })
  },
}

const pdftotext: Peer = {
  name: 'pdftotext -bbox',
  reads: 'text_layer',
  read: async ({ path }) => void (await run('pdftotext', ['-bbox', path, '-'], { maxBuffer: outputBytes })),
}

/** Positions of all words by the reader that browsers have; in a process of its own, as with the others. */
const pdfjs: Peer = {
  name: 'pdf.js',
  reads: 'text_layer',
  read: async ({ path }) => void (await run(process.execPath, [join(import.meta.dirname, 'pdfjs-main.ts'), path])),
}

const probes: readonly (readonly [Peer, readonly string[]])[] = [
  [tesseract, ['tesseract', '--version']],
  [ocrmypdf, ['ocrmypdf', '--version']],
  [pdftotext, ['pdftotext', '-v']],
  [pdfjs, [process.execPath, join(import.meta.dirname, 'pdfjs-main.ts'), '--probe']],
]

/** Those that are here, and the names of those that are not. */
export async function findPeers(): Promise<{ readonly here: readonly Peer[]; readonly missing: readonly string[] }> {
  const found = await Promise.all(
    probes.map(async ([peer, [command = '', ...args]]) => {
      const isHere = await run(command, [...args]).then(
        () => true,
        () => false,
      )
      return { peer, isHere }
    }),
  )
  return {
    here: found.flatMap(({ peer, isHere }) => (isHere ? [peer] : [])),
    missing: found.flatMap(({ peer, isHere }) => (isHere ? [] : [peer.name])),
  }
}
