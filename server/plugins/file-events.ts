import { z } from 'zod'
import type { Database } from '../../db/client.ts'
import type { Logger } from '../../platform/log.ts'

/**
 * Wakes whoever watches a file. There is one LISTEN connection for the whole server; notifications carry ids only,
 * and what happened is read from the table by each watcher as its own actor, so that row level security decides.
 */
export type FileEvents = {
  start(): Promise<void>
  stop(): Promise<void>
  watch(shellFileId: string, watcher: Watcher): () => void
}

export type Watcher = {
  /** Something new about the file may be in the table. */
  readonly onChange: () => void
}

export const channel = 'exora_shell_file_events'
const notificationSchema = z.object({ shell_file_id: z.uuid() })

export function createFileEvents(db: Database, log: Logger): FileEvents {
  const watchers = new Map<string, Set<Watcher>>()
  let subscription: { stop: () => Promise<void> } | null = null
  const all = () => [...watchers.values()].flatMap((set) => [...set])

  return {
    start: async () => {
      // What was notified while the connection was away is lost, so everybody looks once it is back.
      subscription = await db.listen(channel, (payload) => wake(watchers, payload, log), {
        onListening: () => all().forEach((watcher) => watcher.onChange()),
      })
    },
    stop: async () => {
      await subscription?.stop().catch(() => {})
      subscription = null
    },
    watch: (shellFileId, watcher) => {
      const set = watchers.get(shellFileId) ?? new Set()
      watchers.set(shellFileId, set.add(watcher))
      return () => {
        set.delete(watcher)
        if (set.size === 0 && watchers.get(shellFileId) === set) watchers.delete(shellFileId)
      }
    },
  }
}

function wake(watchers: ReadonlyMap<string, ReadonlySet<Watcher>>, payload: string, log: Logger): void {
  const notification = notificationSchema.safeParse(parse(payload))
  if (!notification.success) {
    log.warn({ channel }, 'notification not understood')
    return
  }
  for (const watcher of watchers.get(notification.data.shell_file_id) ?? []) watcher.onChange()
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    return null
  }
}
