import type { IncomingMessage } from 'node:http'
import type { Server } from '../types.ts'

/**
 * `Expect: 100-continue`: a client asks whether its body is wanted before it sends it. Node would say yes at once; here it
 * is said when the body is about to be read, so that whoever lacks a token, or asks too often, sends nothing.
 */
export function addExpectations(app: Server): void {
  const asking = new WeakSet<IncomingMessage>()
  app.server.on('checkContinue', (request, response) => {
    asking.add(request)
    // As any other: whoever watches requests has to learn of this one, too.
    app.server.emit('request', request, response)
  })
  app.addHook('preParsing', async (request, reply) => {
    if (asking.delete(request.raw)) reply.raw.writeContinue()
  })
  // Nobody can know whether the body will come after all, and what would follow it.
  app.addHook('onSend', async (request, reply, payload) => {
    if (asking.has(request.raw)) reply.header('connection', 'close')
    return payload
  })
}
