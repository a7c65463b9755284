/**
 * Pictures that are asked about at the same time go out in one request. What is asked in one turn of the event loop goes
 * together; while a request is under way, the next one gathers. So nobody waits for a clock: a lone picture goes at once,
 * and a full request does not wait for the one before it.
 */
import { ocrRefused } from './provider.ts'
import type { OcrBatches, OcrImage, OcrOutcome, OcrProvider, OcrResult } from './provider.ts'

type Asked = {
  readonly image: OcrImage
  readonly signal: AbortSignal
  readonly settle: (outcome: OcrOutcome) => void
  readonly fail: (error: unknown) => void
}

export function gatherPictures({ maxPictures, maxBytes, recognise }: OcrBatches): OcrProvider['recognise'] {
  let waiting: Asked[] = []
  let underWay = 0
  let isDue = false

  function sendWhatMay(): void {
    for (;;) {
      const batch = firstOf(waiting, { maxPictures, maxBytes })
      const isFull = batch.length === maxPictures || batch.length < waiting.length
      if (batch.length === 0 || (underWay > 0 && !isFull)) return
      waiting = waiting.slice(batch.length)
      underWay += 1
      void send(batch).finally(() => {
        underWay -= 1
        sendWhatMay()
      })
    }
  }

  /** Never rejects: its pictures do. */
  async function send(batch: readonly Asked[]): Promise<void> {
    const open = batch.filter(({ signal }) => !signal.aborted)
    if (open.length === 0) return
    try {
      const signal = whenAllAborted(open.map((asked) => asked.signal))
      const outcomes = await recognise(
        open.map(({ image }) => image),
        { signal },
      )
      if (outcomes.length !== open.length) throw new Error('the outcomes do not fit the pictures')
      for (const [index, outcome] of outcomes.entries()) open[index]?.settle(outcome)
    } catch (error) {
      // One picture that the service cannot take is refused with all that came along: it is found by halves.
      if (ocrRefused.matches(error) && open.length > 1) await sendHalves(open)
      else for (const { fail } of open) fail(error)
    }
  }

  async function sendHalves(batch: readonly Asked[]): Promise<void> {
    const middle = Math.ceil(batch.length / 2)
    await send(batch.slice(0, middle))
    await send(batch.slice(middle))
  }

  return async (image, { signal }) => {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<OcrResult>()
    const settle = (outcome: OcrOutcome) => (outcome.kind === 'read' ? resolve(outcome.result) : reject(outcome.error))
    const asked: Asked = { image, signal, settle, fail: reject }
    const giveUp = (): void => {
      waiting = waiting.filter((other) => other !== asked)
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    waiting.push(asked)
    if (!isDue) {
      isDue = true
      setImmediate(() => {
        isDue = false
        sendWhatMay()
      })
    }
    return await promise.finally(() => signal.removeEventListener('abort', giveUp))
  }
}

/** As many from the front as one request takes; one at least. */
function firstOf(
  waiting: readonly Asked[],
  most: { readonly maxPictures: number; readonly maxBytes: number },
): Asked[] {
  let bytes = 0
  const tooMany = waiting.findIndex(({ image }, index) => {
    bytes += image.png.byteLength
    return index > 0 && (index === most.maxPictures || bytes > most.maxBytes)
  })
  return waiting.slice(0, tooMany === -1 ? waiting.length : tooMany)
}

/** A request goes on as long as somebody waits for one of its pictures. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const different = [...new Set(signals)]
  const [only] = different
  if (only !== undefined && different.length === 1) return only
  const all = new AbortController()
  const look = (): void => {
    const last = different.find((signal) => signal.aborted)
    if (different.every((signal) => signal.aborted)) all.abort(last?.reason)
  }
  for (const signal of different) signal.addEventListener('abort', look, { once: true })
  return all.signal
}
