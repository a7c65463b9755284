import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Store } from './store.ts'

/**
 * Child processes read files by path: the object is copied to one of our own, whatever kind of store it lies in, and
 * the copy is gone when `work` has ended, however it ended.
 */
export async function withLocalFile<T>(
  object: { readonly store: Store; readonly key: string; readonly signal: AbortSignal },
  work: (path: string) => Promise<T>,
): Promise<T> {
  const { store, key, signal } = object
  signal.throwIfAborted()
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
