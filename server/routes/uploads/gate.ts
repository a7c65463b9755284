import { overloaded } from '../../plugins/errors.ts'

/**
 * How many uploads are read at once. The others wait with their bodies unread, which costs a socket each; when too many
 * wait, the next is asked to come back: an honest 503 instead of a hang.
 */
export type UploadGate = {
  /** Resolves with the way out once there is room; rejects when there are too many, or when the caller has gone. */
  enter(signal: AbortSignal): Promise<() => void>
  readonly active: () => number
  readonly waiting: () => number
}

const comeBackMs = 5_000

export function createUploadGate(limits: { readonly maxActive: number; readonly maxWaiting: number }): UploadGate {
  let active = 0
  const queue = new Set<() => void>()

  const leave = () => {
    active -= 1
    const [next] = queue
    if (next === undefined) return
    queue.delete(next)
    next()
  }
  const admit = () => {
    active += 1
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      leave()
    }
  }

  return {
    enter: async (signal) => {
      signal.throwIfAborted()
      if (active < limits.maxActive) return admit()
      if (queue.size >= limits.maxWaiting) throw overloaded({ retryAfterMs: comeBackMs })
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      const onTurn = () => {
        signal.removeEventListener('abort', onGone)
        resolve(admit())
      }
      const onGone = () => {
        queue.delete(onTurn)
        reject(signal.reason)
      }
      queue.add(onTurn)
      signal.addEventListener('abort', onGone, { once: true })
      return await promise
    },
    active: () => active,
    waiting: () => queue.size,
  }
}
