import type { Socket } from 'node:net'
import type { Server } from '../types.ts'

/**
 * What is begun is finished; no new connection is taken. A request that was on its way on a connection kept open is
 * answered as well, and every answer says that the connection closes.
 *
 * Browsers and HTTP clients open connections ahead of need. Node does not count one that has never sent a byte as idle,
 * so a stopping server would wait for it; such connections are closed here, and nobody loses anything.
 */
export function addDrain(app: Server): void {
  const open = new Set<Socket>()
  let isStopping = false
  app.server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  app.addHook('preClose', async () => {
    isStopping = true
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    if (isStopping) reply.header('connection', 'close')
    return payload
  })
}
