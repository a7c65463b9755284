import type { IncomingMessage } from 'node:http'
import { uploadBroken } from './errors.ts'

/** Aborted when the connection breaks before the body has come. */
export function signalOf(request: IncomingMessage): AbortSignal {
  const controller = new AbortController()
  request.once('close', () => {
    if (!request.complete) controller.abort(uploadBroken())
  })
  return controller.signal
}
