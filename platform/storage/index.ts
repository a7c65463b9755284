import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../env.ts'
import { openDiskStore } from './disk.ts'
import { withDiskFailures } from './disk-failure.ts'
import { parseS3Url } from './s3-location.ts'
import type { Store } from './store.ts'

/** The store that `STORAGE_URL` names; without one, a folder in the data directory. */
export async function openStore(config: {
  readonly storageUrl?: string | undefined
  readonly dataDir: string
}): Promise<Store> {
  if (config.storageUrl === undefined) return await openFolder(resolve(config.dataDir, 'objects'))
  if (config.storageUrl.startsWith('file:')) return await openFolder(folderOf(config.storageUrl))
  if (config.storageUrl.startsWith('s3:')) return await openBucket(config.storageUrl)
  throw new ConfigurationError('STORAGE_URL: must start with file: or s3:')
}

const openFolder = async (path: string): Promise<Store> => withDiskFailures(await openDiskStore(path))

// The SDK is large; only those who use it load it.
async function openBucket(url: string): Promise<Store> {
  const location = parseS3Url(url)
  const { openS3Store } = await import('./s3.ts')
  return await openS3Store(location)
}

/** `file:///srv/exora` is absolute; `file:objects` and `file:./objects` start from where the process runs. */
function folderOf(url: string): string {
  const path = url.slice('file:'.length)
  if (path.startsWith('//')) return fileURLToPath(url)
  return isAbsolute(path) ? path : join(process.cwd(), path)
}
