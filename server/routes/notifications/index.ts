import { asActor } from '../../../db/actor.ts'
import { listNotifications, markNotificationRead } from '../../../db/queries/notifications.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams, newestFirst, pageOf, toTime, toTimeOrNull } from '../fields.ts'
import { notificationListSchema, notificationQuery } from './schema.ts'

/** What an account is told: kinds and ids; the words are the client's. */
export function notificationRoutes(api: Api, { db }: RouteDeps): void {
  const tags = ['account']

  api.get(
    '/notifications',
    {
      schema: {
        tags,
        summary: 'What you were told, newest first',
        querystring: notificationQuery,
        response: { 200: notificationListSchema, ...problems(400, 401) },
      },
    },
    (request) => {
      const { which } = request.query
      const page = newestFirst(request.query)
      return asActor(db, actorOf(request), async (tx) => {
        const { shown, next_cursor } = pageOf(await listNotifications(tx, { ...page, which }), page.limit)
        const notifications = shown.map((told) => ({
          id: told.id,
          kind: told.kind,
          patient_id: told.patientId,
          subject_id: told.subjectId,
          created_at: toTime(told.createdAt),
          read_at: toTimeOrNull(told.readAt),
        }))
        return { notifications, next_cursor }
      })
    },
  )

  api.post(
    '/notifications/:id/read',
    {
      schema: {
        tags,
        summary: 'Mark as read',
        params: idParams,
        response: { 204: noBody('Read, also if it was before.'), ...problems(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const isOurs = await asActor(db, actorOf(request), (tx) => markNotificationRead(tx, request.params.id))
      if (!isOurs) throw notFound()
      return await reply.code(204).send()
    },
  )
}
