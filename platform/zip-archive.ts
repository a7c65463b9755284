import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'

export type ArchiveEntry = {
  /** Its path in the archive: relative, with forward slashes. */
  readonly name: string
  readonly modifiedAt: Date
  /** `store` for what is packed already, as pictures and PDFs are. */
  readonly packing: 'deflate' | 'store'
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * A zip file of entries that are asked for one by one, each once the one before it has been written, so that neither
 * their number nor their size costs memory. Whoever stops reading ends the entry under way and the source of entries.
 */
export async function* zipArchive(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile()
  const output = zip.outputStream
  if (!(output instanceof Readable)) throw new TypeError('yazl gives no stream that can be ended')
  let current: Readable | null = null

  const fill = async () => {
    for await (const entry of entries) {
      if (output.destroyed) return
      current = Readable.from(entry.bytes, { objectMode: false })
      const isWritten = finished(current)
      zip.addReadStream(current, entry.name, { mtime: entry.modifiedAt, compress: entry.packing === 'deflate' })
      await isWritten
    }
    zip.end()
  }
  zip.on('error', (error: Error) => output.destroy(error))
  const filling = fill().catch((error: unknown) => {
    output.destroy(error instanceof Error ? error : new Error('an entry broke off', { cause: error }))
  })
  try {
    yield* output
  } finally {
    output.destroy()
    stop(current)
    await filling
  }
}

// A function of its own: what a closure assigns is not seen by the compiler.
function stop(stream: Readable | null): void {
  stream?.destroy()
}
