import type { IncomingMessage } from 'node:http'
import { uploadBroken } from './errors.ts'

/** Aborted when the connection breaks before the body has come; also when it did before anybody asked. */
export function signalOf(request: IncomingMessage): AbortSignal {
  // It may have broken while it was found out who calls: nothing tells of that any more, and whoever then waited for
  // the body would wait for ever.
  if (request.destroyed && !request.complete) return AbortSignal.abort(uploadBroken())
  const controller = new AbortController()
  const abortIfBroken = () => {
    if (!request.complete) controller.abort(uploadBroken())
  }
  request.once('close', abortIfBroken)
  return controller.signal
}
