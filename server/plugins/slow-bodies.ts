import type { IncomingMessage } from 'node:http'
import { systemClock } from '../../platform/clock.ts'
import type { Patience } from '../protection-config.ts'
import type { Server } from '../types.ts'
import { requestTimeout } from './errors.ts'

type Watched = { readonly request: IncomingMessage; windowFrom: number; bytesBefore: number }

/**
 * A body that trickles holds an upload's place and a connection for as long as the whole request may take. It is cut off
 * when less than the least rate has come in a window in which we were waiting for it; time in which we do not read
 * (no place yet, a slow disk) is not the client's.
 */
export function addSlowBodies(app: Server, { bodyWindowMs, bodyBytesPerSecond }: Patience): void {
  const open = new Set<Watched>()
  const leastBytes = (bodyBytesPerSecond * bodyWindowMs) / msPerS
  const now = systemClock.monotonicMs

  app.addHook('onRequest', async ({ raw }) => {
    if (raw.complete || !hasBody(raw)) return
    const watched = { request: raw, windowFrom: now(), bytesBefore: raw.socket.bytesRead }
    open.add(watched)
    const forget = () => open.delete(watched)
    raw.once('end', forget).once('close', forget)
  })

  const check = () => {
    for (const watched of open) {
      const { request } = watched
      const isOurTurn = !isWaitedFor(request)
      if (!isOurTurn && now() - watched.windowFrom < bodyWindowMs) continue
      if (!isOurTurn && request.socket.bytesRead - watched.bytesBefore < leastBytes) {
        open.delete(watched)
        cutOff(request)
      }
      watched.windowFrom = now()
      watched.bytesBefore = request.socket.bytesRead
    }
  }
  const timer = setInterval(check, Math.min(bodyWindowMs / 4, msPerS)).unref()
  app.addHook('onClose', async () => clearInterval(timer))
  // A connection with the rest of a body on it is of no use for another request.
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === requestTimeout.status) reply.header('connection', 'close')
    return payload
  })
}

const msPerS = 1_000

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Somebody wants the next byte, and it is not there. */
function isWaitedFor(request: IncomingMessage): boolean {
  const isWanted = request.readableFlowing === true || request.listenerCount('readable') > 0
  return isWanted && request.readableLength === 0
}

/** As an error of the body, so that whoever reads it can still answer; where nobody reads any more, the connection goes. */
function cutOff(request: IncomingMessage): void {
  if (request.listenerCount('error') === 0 || request.destroyed) request.destroy()
  else request.emit('error', requestTimeout())
}
