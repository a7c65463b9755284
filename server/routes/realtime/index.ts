import { actorOf } from '../../plugins/authentication/authentication.ts'
import { invalidRequest } from '../../plugins/errors.ts'
import { eventsOf, problems } from '../../plugins/problem-schema.ts'
import { readEventId } from '../../plugins/realtime/position.ts'
import { wantedStreamOf } from '../../plugins/realtime/wanted-stream.ts'
import type { Api, RouteDeps } from '../../types.ts'
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
      const { expiresAt } = wantedStreamOf(request, realtime.streams)
      const given = request.headers['last-event-id']
      const after = given === undefined || given === '' ? null : readEventId(given)
      if (after === null && given !== undefined && given !== '')
        throw invalidRequest({ errors: [{ path: 'last-event-id', message: 'is not one of ours' }] })
      await realtime.follow(reply, { actor: actorOf(request), expiresAt, after })
      return reply
    },
  )
}
