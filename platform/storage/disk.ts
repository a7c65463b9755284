import { createHash } from 'node:crypto'
import { mkdir, open, opendir, rename, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isKey, keyFor } from './object-key.ts'
import { fileTooLarge, objectNotFound } from './store.ts'
import type { ByteRange, PutLimits, PutResult, Store, StoredObject } from './store.ts'

const temporaryMark = '.part'

/** Objects as files: `<root>/f3/<uuid>`, written beside their place, made durable, then renamed into it. */
export async function openDiskStore(root: string): Promise<Store> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const shards = keepShards(root)
  return {
    put: (source, limits) => putObject(root, shards, source, limits),
    open: (key, range) => openObject(root, key, range),
    head: (key) => headObject(root, key),
    delete: (key) => deleteObject(root, key),
    list: () => listObjects(root),
    sweepTemporary: (limits) => sweepTemporary(root, limits.olderThanMs),
  }
}

async function putObject(
  root: string,
  shards: Shards,
  source: AsyncIterable<Uint8Array>,
  limits: PutLimits,
): Promise<PutResult> {
  const key = keyFor(limits.key)
  const path = join(root, key)
  const temporary = `${path}${temporaryMark}`
  const file = await shards.openIn(dirname(path), () => open(temporary, 'wx', 0o600))
  try {
    const written = await writeAll(file, source, limits)
    await file.sync()
    await file.close()
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return { key, ...written }
  } catch (error) {
    await file.close().catch(() => {})
    await unlink(temporary).catch(() => {})
    throw error
  }
}

async function writeAll(
  file: FileHandle,
  source: AsyncIterable<Uint8Array>,
  limits: PutLimits,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of source) {
    limits.signal?.throwIfAborted()
    sizeBytes += chunk.byteLength
    if (sizeBytes > limits.maxBytes) throw fileTooLarge({ maxBytes: limits.maxBytes })
    hash.update(chunk)
    // Unlike `write`, this goes on until every byte is written.
    await file.appendFile(chunk)
  }
  limits.signal?.throwIfAborted()
  return { sha256: hash.digest('hex'), sizeBytes }
}

async function openObject(root: string, key: string, range?: ByteRange) {
  const found = await headObject(root, key)
  if (found === null) throw objectNotFound()
  // Opened here and not by the stream, so that a deletion in between is still an answer and not a broken stream.
  const file = await open(join(root, key), 'r').catch((error: unknown) => {
    throw isMissing(error) ? objectNotFound() : error
  })
  return { stream: file.createReadStream(range ?? {}), sizeBytes: found.sizeBytes }
}

async function headObject(root: string, key: string): Promise<StoredObject | null> {
  if (!isKey(key)) return null
  try {
    const { size, mtime } = await stat(join(root, key))
    return { key, sizeBytes: size, modifiedAt: mtime }
  } catch (error) {
    if (!isMissing(error)) throw error
    // Where the whole store is gone, nothing is known to be missing.
    await stat(root)
    return null
  }
}

async function deleteObject(root: string, key: string): Promise<void> {
  if (!isKey(key)) return
  const path = join(root, key)
  await unlink(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
  await syncFolder(dirname(path)).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

async function* listObjects(root: string): AsyncIterable<StoredObject> {
  for await (const key of filesIn(root)) {
    const found = await headObject(root, key)
    if (found !== null) yield found
  }
}

async function sweepTemporary(root: string, olderThanMs: number): Promise<{ removed: number }> {
  const before = Date.now() - olderThanMs
  let removed = 0
  for await (const name of filesIn(root)) {
    if (!name.endsWith(temporaryMark)) continue
    const path = join(root, name)
    const found = await stat(path).catch(() => null)
    if (found === null || found.mtimeMs > before) continue
    await unlink(path).catch(() => {})
    removed += 1
  }
  return { removed }
}

/** Paths below the root, of all that lies in our folders. */
async function* filesIn(root: string, folder = ''): AsyncIterable<string> {
  for await (const entry of await opendir(join(root, folder))) {
    const path = join(folder, entry.name)
    if (/^[0-9a-f]{2}$/.test(entry.name) && entry.isDirectory()) yield* filesIn(root, path)
    else if (folder !== '') yield path
  }
}

type Shards = { readonly openIn: (folder: string, openFile: () => Promise<FileHandle>) => Promise<FileHandle> }

/** Folders are made as they are needed, each once: one that is new is durable only when its parent has been synced. */
function keepShards(root: string): Shards {
  const made = new Map<string, Promise<void>>()
  const make = (folder: string) => {
    const known = made.get(folder)
    if (known !== undefined) return known
    const making = makeFolder(folder).then(() => syncFolder(root))
    made.set(folder, making)
    // Tried again by the next who needs it.
    making.catch(() => made.delete(folder))
    return making
  }
  return {
    openIn: async (folder, openFile) => {
      await make(folder)
      try {
        return await openFile()
      } catch (error) {
        if (!isMissing(error)) throw error
        // Somebody has taken it away since.
        made.delete(folder)
        await make(folder)
        return await openFile()
      }
    },
  }
}

/** Not what it lies in: a store whose root is gone must not begin another in its place. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
