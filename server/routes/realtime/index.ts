import { actorOf, tokenExpiryOf } from '../../plugins/authentication/authentication.ts'
import { invalidRequest, unauthenticated } from '../../plugins/errors.ts'
import { eventsOf, problems } from '../../plugins/problem-schema.ts'
import { readEventId } from '../../plugins/realtime/position.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { notAcceptable } from '../documents/events.ts'
import { realtimeEventSchema, realtimeHeaders } from './schema.ts'

export function realtimeRoutes(api: Api, { realtime }: RouteDeps): void {
  api.get(
    '/realtime',
    {
      // A HEAD would hold a stream open that says nothing.
      exposeHeadRoute: false,
      config: { budget: 'streams' },
      schema: {
        tags: ['realtime'],
        summary: 'What happens to all documents that the account may read, as it happens',
        description:
          'Server-sent events: `file` and `stage` of documents, `notification` of the account, `ready` when everything ' +
          'from here on is told, `reset` when what was missed cannot be told. Comes back where it stopped with Last-Event-ID.',
        headers: realtimeHeaders,
        response: { 200: eventsOf(realtimeEventSchema), ...problems(400, 401, 406, 429, 503) },
      },
    },
    async (request, reply) => {
      if (!/text\/event-stream|\*\/\*|text\/\*/.test(request.headers.accept ?? '*/*')) throw notAcceptable()
      const actor = actorOf(request)
      if (actor.accountId === null) throw unauthenticated()
      const given = request.headers['last-event-id']
      const after = given === undefined || given === '' ? null : readEventId(given)
      if (after === null && given !== undefined && given !== '')
        throw invalidRequest({ errors: [{ path: 'last-event-id', message: 'is not one of ours' }] })
      const expiresAt = tokenExpiryOf(request)
      realtime.streams.requireRoom({ accountId: actor.accountId, expiresAt })
      await realtime.follow(reply, { actor, expiresAt, after })
      return reply
    },
  )
}
