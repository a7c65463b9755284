import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { systemClock } from '../../platform/clock.ts'
import type { Patience } from '../protection-config.ts'
import type { Server } from '../types.ts'
import { requestTimeout } from './errors.ts'

type Watched = {
  readonly request: IncomingMessage
  /** A request that was given up forgets its own. */
  readonly socket: Socket
  windowFrom: number
  bytesBefore: number
  /** Of its socket; where an answer has been given already. */
  mostBytes: number
}

/**
 * A body that trickles holds an upload's place and a connection for as long as the whole request may take. It is cut off
 * when less than the least rate has come in a window in which we were waiting for it; time in which we do not read
 * (no place yet, a slow disk) is not the client's.
 *
 * After an answer that came early Node reads the rest and throws it away, without an end: a client that is still sending
 * has to be able to read its answer. It gets to send as much as it could have been about to.
 */
export function addSlowBodies(app: Server, { bodyWindowMs, bodyBytesPerSecond }: Patience, mostUnread: number): void {
  const open = new Map<IncomingMessage, Watched>()
  const cut = new WeakSet<IncomingMessage>()
  const leastBytes = (bodyBytesPerSecond * bodyWindowMs) / msPerS
  const now = systemClock.monotonicMs

  app.addHook('onRequest', async ({ raw }) => {
    if (raw.complete || !hasBody(raw)) return
    const { socket } = raw
    const watched = { request: raw, socket, windowFrom: now(), bytesBefore: socket.bytesRead, mostBytes: Infinity }
    open.set(raw, watched)
    const forget = () => open.delete(raw)
    raw.once('end', forget).once('close', forget)
  })

  /**
   * As an error of the body, so that whoever reads it can still answer. Where nobody reads any more, and where the client
   * still holds on a window later, the connection goes.
   */
  const cutOff = ({ request, socket }: Watched) => {
    const isLastWord = cut.has(request) || request.listenerCount('error') === 0
    cut.add(request)
    if (isLastWord) socket.destroy()
    else request.emit('error', requestTimeout())
  }
  const check = () => {
    for (const watched of open.values()) {
      const { request, socket } = watched
      if (socket.bytesRead > watched.mostBytes) socket.destroy()
      const isOurTurn = !isWaitedFor(request)
      if (!isOurTurn && now() - watched.windowFrom < bodyWindowMs) continue
      if (!isOurTurn && socket.bytesRead - watched.bytesBefore < leastBytes) cutOff(watched)
      watched.windowFrom = now()
      watched.bytesBefore = socket.bytesRead
    }
  }
  const timer = setInterval(check, Math.min(bodyWindowMs / 4, msPerS)).unref()
  app.addHook('onClose', async () => clearInterval(timer))
  app.addHook('onResponse', async ({ raw }) => {
    const watched = open.get(raw)
    if (watched !== undefined) watched.mostBytes = watched.socket.bytesRead + mostUnread
  })
  // A connection with the rest of a body on it is of no use for another request.
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    const isGivenUp = cut.has(raw) || (raw.destroyed && !raw.complete)
    if (isGivenUp) reply.header('connection', 'close')
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
