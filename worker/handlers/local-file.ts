import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Store } from '../../platform/storage/store.ts'

/** Child processes read files by path; the object is copied to one of our own, whatever kind of store it lies in. */
export async function withLocalFile<T>(
  store: Store,
  key: string,
  signal: AbortSignal,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-file-'))
  try {
    const path = join(folder, 'original')
    const { stream } = await store.open(key)
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }), { signal })
    return await work(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
