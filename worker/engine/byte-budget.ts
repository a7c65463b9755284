/**
 * The bytes that this process has in hand, over all its jobs: a few large files fill a machine that would run dozens of
 * small ones. First come, first served; what is larger than the whole budget runs when nothing else is in hand.
 */
export type ByteBudget = {
  readonly inFlight: number
  /** Somebody waits: it would help nobody to claim more. */
  readonly isFull: boolean
  /** Resolves as soon as there is room; rejects with the signal's reason when it is aborted before. */
  hold<T>(bytes: number, work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

type Waiting = { readonly bytes: number; readonly admit: () => void }

export function createByteBudget(options: { readonly maxBytes: number; readonly onFreed: () => void }): ByteBudget {
  const { maxBytes, onFreed } = options
  const line: Waiting[] = []
  let inFlight = 0

  const fits = (bytes: number) => inFlight === 0 || inFlight + bytes <= maxBytes

  function admitWaiting(): void {
    for (let first = line[0]; first !== undefined && fits(first.bytes); first = line[0]) {
      line.shift()
      inFlight += first.bytes
      first.admit()
    }
  }

  async function enter(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { bytes, admit: resolve }
    const leave = () => {
      line.splice(line.indexOf(waiting), 1)
      reject(signal.reason)
      admitWaiting()
    }
    line.push(waiting)
    signal.addEventListener('abort', leave, { once: true })
    admitWaiting()
    await promise.finally(() => signal.removeEventListener('abort', leave))
  }

  return {
    get inFlight() {
      return inFlight
    },
    get isFull() {
      return line.length > 0
    },
    async hold(bytes, work, signal) {
      await enter(bytes, signal)
      try {
        return await work()
      } finally {
        inFlight -= bytes
        admitWaiting()
        onFreed()
      }
    },
  }
}
