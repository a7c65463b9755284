import type { FastifyRequest } from 'fastify'
import { defineError } from '../../../platform/errors.ts'
import { actorOf, tokenExpiryOf } from '../authentication/authentication.ts'
import { unauthenticated } from '../errors.ts'
import type { EventStreams, WantedStream } from './event-streams.ts'

export const notAcceptable = defineError('not_acceptable', 406, 'This is answered as text/event-stream only.')

/** What a request for events comes to before anything is read for it: who asks, as events, while there is room. */
export function wantedStreamOf(request: FastifyRequest, streams: EventStreams): WantedStream {
  if (!/text\/event-stream|\*\/\*|text\/\*/.test(request.headers.accept ?? '*/*')) throw notAcceptable()
  const { accountId } = actorOf(request)
  if (accountId === null) throw unauthenticated()
  const wanted = { accountId, expiresAt: tokenExpiryOf(request) }
  streams.requireRoom(wanted)
  return wanted
}
