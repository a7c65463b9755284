import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'tap'
import { openSocket } from '../../db/sockets.ts'

test('a connection that is ended is gone soon, also when the server does not answer', async (t) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const socket = openSocket({ host: ['127.0.0.1'], port: [port], path: false })
  // Nothing would be left to keep this process.
  const waits = setTimeout(() => {}, 20_000)
  t.teardown(() => {
    clearTimeout(waits)
    socket.destroy()
    server.close()
  })
  const [other] = await accepted
  t.teardown(() => other.destroy())
  const endedAt = performance.now()
  socket.end()
  await once(socket, 'close')
  t.ok(performance.now() - endedAt < 10_000)
})
