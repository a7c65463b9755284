import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { listAccessLog } from '../../../db/queries/access-log.ts'
import type { AccessLogEntry } from '../../../db/queries/access-log.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { decodeCursor, encodeCursor, idParams, timeCursor, toTime } from '../fields.ts'
import { accessLogQuery, accessLogSchema } from './schema.ts'
import type { accessLogEntrySchema } from './schema.ts'

export function accessLogRoutes(api: Api, { db }: RouteDeps): void {
  api.get(
    '/profiles/:id/access-log',
    {
      schema: {
        tags: ['profiles'],
        summary: "Who saw and changed what of this person's, when and why",
        description:
          'Newest first: reads and changes, by people and by our own processing. For whoever holds the profile as its owner; ' +
          'what was seen a moment ago may still be on its way here.',
        params: idParams,
        querystring: accessLogQuery,
        response: { 200: accessLogSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { limit, cursor, who } = request.query
      const before = cursor === undefined ? null : decodeCursor(cursor, timeCursor)
      return asActor(db, actorOf(request), async (tx) => {
        const found = await listAccessLog(tx, { profileId: request.params.id, limit, before, who })
        const shown = found.slice(0, limit)
        const last = found.length > limit ? shown.at(-1) : undefined
        return {
          entries: shown.map(present),
          next_cursor: last === undefined ? null : encodeCursor({ at: last.at, id: last.entry_id }),
        }
      }).catch(raisedAs({ [raised.insufficientPrivilege]: () => notFound() }))
    },
  )
}

function present(entry: AccessLogEntry): z.output<typeof accessLogEntrySchema> {
  const { who_kind: kind, who: name, on_behalf_of, basis, shared_by, reason, explanation } = entry
  const { resource, view, record_id, operation } = entry
  return {
    id: entry.entry_id,
    at: toTime(new Date(entry.at)),
    who: { kind, name, on_behalf_of },
    why: { basis, shared_by, reason, explanation },
    what: { resource, view, record_id, operation },
    count: entry.count,
  }
}
