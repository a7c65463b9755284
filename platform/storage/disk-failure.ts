import { AppError } from '../errors.ts'
import { StorageFault, comeBackMs, storageRefused, storageUnavailable } from './storage-fault.ts'
import type { Store } from './store.ts'

// Full, failing or away: passes, or somebody makes room, while the client still tries.
const passing = new Set(
  'ENOSPC EDQUOT EFBIG EIO EMFILE ENFILE ENOMEM EBUSY EAGAIN ETIMEDOUT ESTALE ENODEV ENXIO ENOTCONN EHOSTDOWN'.split(
    ' ',
  ),
)
// Not a folder, or not ours to write in: stays so until an operator has looked.
const lasting = new Set('EACCES EPERM EROFS ENOTDIR ENOENT ELOOP ENAMETOOLONG'.split(' '))

/** The same store, whose operating system's errors are errors of ours: paths are nobody else's business. */
export function withDiskFailures(store: Store): Store {
  const put: Store['put'] = (source, limits) => store.put(source, limits).catch(fail)
  async function* list() {
    try {
      yield* store.list()
    } catch (error) {
      fail(error)
    }
  }
  return {
    put,
    open: (key, range) => store.open(key, range).catch(fail),
    head: (key) => store.head(key).catch(fail),
    delete: (key) => store.delete(key).catch(fail),
    list,
    sweepTemporary: (limits) => store.sweepTemporary(limits).catch(fail),
  }
}

function fail(error: unknown): never {
  // Without a system call it is not the disk's: the source's, or a mistake of ours.
  if (error instanceof AppError || !(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error
  const code = String(error.code)
  const cause = new StorageFault(code, null)
  if (passing.has(code)) throw storageUnavailable({ cause, retryAfterMs: comeBackMs })
  if (lasting.has(code)) throw storageRefused({ cause })
  throw error
}
