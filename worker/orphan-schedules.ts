/** Store and database compared, both ways: bytes that no row names go, documents whose bytes are not there are made known. */
import {
  forgetMissingObject,
  listFileObjects,
  noteMissingObject,
  unclaimedObjects,
} from '../db/queries/stored-objects.ts'
import type { FileObject } from '../db/queries/stored-objects.ts'
import type { Logger } from '../platform/log.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Schedule, ScheduleDeps } from './engine/schedule.ts'

const pageSize = 500
// An object is stored and then named, within one request, which ends within minutes: what is a day old and has no
// name will never get one. Pieces of resumable uploads have theirs, for as many days as they may take.
const orphanAgeMs = 24 * 60 * 60 * 1_000

export const createOrphanSchedules = (store: Store, log: Logger): readonly Schedule[] => [
  {
    name: 'delete_orphaned_objects',
    slots: { dailyAt: '04:10' },
    run: (run) => deleteOrphans(run, store, log),
  },
  {
    name: 'find_missing_objects',
    slots: { dailyAt: '04:40' },
    run: (run) => findMissing(run, store, log),
  },
]

async function deleteOrphans(run: ScheduleDeps, store: Store, log: Logger): Promise<void> {
  const { orphans, named } = await findOrphans(run, store)
  if (orphans.length === 0) return
  const counts = { orphans: orphans.length, named }
  if (orphans.length > mostOrphans(named)) {
    log.error(
      { event: 'too_many_orphans', ...counts },
      'so many objects have no row that this may be another database: nothing was deleted',
    )
    return
  }
  for (const key of orphans) {
    run.signal.throwIfAborted()
    await store.delete(key)
  }
  log.warn({ event: 'orphaned_objects', ...counts }, 'objects that no row names were deleted')
}

// Crashes leave few. A database that was restored from an older backup, or an empty one, names hardly anything; to
// believe it would be the end of the documents.
const mostOrphans = (named: number) => (named === 0 ? 0 : Math.max(3, named / 10))

async function findOrphans({ inService, signal }: ScheduleDeps, store: Store) {
  const before = Date.now() - orphanAgeMs
  const orphans: string[] = []
  let named = 0
  let page: string[] = []
  const endPage = async () => {
    const unclaimed = page.length === 0 ? [] : await inService((tx) => unclaimedObjects(tx, page))
    orphans.push(...unclaimed)
    named += page.length - unclaimed.length
    page = []
  }
  for await (const { key, modifiedAt } of store.list()) {
    signal.throwIfAborted()
    if (modifiedAt.getTime() > before) continue
    page.push(key)
    if (page.length === pageSize) await endPage()
  }
  await endPage()
  return { orphans, named }
}

async function findMissing({ inService, signal }: ScheduleDeps, store: Store, log: Logger): Promise<void> {
  let afterId: string | null = null
  for (;;) {
    const after: string | null = afterId
    const files: FileObject[] = await inService((tx) => listFileObjects(tx, after, pageSize))
    for (const { id, storage_key: key, is_known_missing: isKnown } of files) {
      signal.throwIfAborted()
      const isThere = (await store.head(key)) !== null
      if (isThere !== isKnown) continue
      const about = { event: 'missing_object', shell_file_id: id }
      if (isThere) {
        await inService((tx) => forgetMissingObject(tx, id))
        log.warn(about, 'the bytes of a document are in the store again')
      } else if (await inService((tx) => noteMissingObject(tx, id)))
        log.error(about, 'the bytes of a document are not in the store')
    }
    const last = files.at(-1)
    if (last === undefined || files.length < pageSize) return
    afterId = last.id
  }
}
