import type { Service } from '../../platform/service.ts'

/** Does something again and again, each time some while after the last has ended; with jitter, so that workers spread. */
export function createRepeat(options: {
  readonly name: string
  readonly everyMs: number
  /** The first time comes within this; within `everyMs` when not given. */
  readonly firstWithinMs?: number
  readonly work: () => Promise<void>
  readonly onError: (error: unknown) => void
}): Service {
  let timer: NodeJS.Timeout | undefined
  let isStopped = true
  let working: Promise<void> = Promise.resolve()

  function schedule(delayMs: number): void {
    timer = setTimeout(() => {
      working = options
        .work()
        .catch(options.onError)
        .finally(() => {
          if (!isStopped) schedule(options.everyMs * (0.75 + Math.random() / 2))
        })
    }, delayMs)
  }

  return {
    name: options.name,
    async start() {
      isStopped = false
      schedule(Math.random() * (options.firstWithinMs ?? options.everyMs))
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await working
    },
  }
}
