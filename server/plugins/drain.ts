import type { Socket } from 'node:net'
import type { Server } from '../types.ts'

/**
 * Browsers and HTTP clients open connections ahead of need. Node does not count one that has never sent a byte as idle,
 * so a stopping server would wait for it; such connections are closed here, and nobody loses anything.
 */
export function addDrain(app: Server): void {
  const open = new Set<Socket>()
  app.server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  app.addHook('preClose', async () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  })
}
