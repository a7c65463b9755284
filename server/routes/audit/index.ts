import { asActor } from '../../../db/actor.ts'
import { mayReach } from '../../../db/queries/access.ts'
import { listAuditEventsAsOperator, listAuditEventsOf, reportClientEvent } from '../../../db/queries/audit-events.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { decodeCursor, encodeCursor, timeCursor, toTime } from '../fields.ts'
import { auditListSchema, auditQuery, reportBody, reportedSchema } from './schema.ts'

const tags = ['audit']
const meanings = { [raised.insufficientPrivilege]: () => notFound() }

export function auditRoutes(api: Api, deps: RouteDeps): void {
  reportRoute(api, deps)
  listRoute(api, deps)
}

function reportRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/audit/events',
    {
      schema: {
        tags,
        summary: 'Report what was shown, printed, exported or shared',
        description: 'All of them are written, or none. Actor, time, address and correlation are added by the server.',
        body: reportBody,
        response: { 201: reportedSchema, ...problems(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const ids = await asActor(db, actorOf(request), async (tx) => {
        const written: string[] = []
        for (const { patient_id: patientId, event, document_id: documentId } of request.body.events)
          written.push(await reportClientEvent(tx, { patientId, event, documentId: documentId ?? null }))
        return written
      }).catch(raisedAs(meanings))
      return await reply.code(201).send({ event_ids: ids })
    },
  )
}

function listRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/audit/events',
    {
      schema: {
        tags,
        summary: 'The audit of a person, newest first',
        description:
          'For whoever holds the profile as its owner. Operators read that of anybody, and leave a trace of it.',
        querystring: auditQuery,
        response: { 200: auditListSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { patient_id: patientId, limit, cursor } = request.query
      const page = { limit, before: cursor === undefined ? null : decodeCursor(cursor, timeCursor) }
      return asActor(db, actorOf(request), async (tx) => {
        const isTheirs =
          patientId !== undefined && (await mayReach(tx, { profileId: patientId, level: 'owner', resource: 'audit' }))
        const found = isTheirs
          ? await listAuditEventsOf(tx, patientId, page)
          : await listAuditEventsAsOperator(tx, patientId ?? null, page)
        const shown = found.slice(0, limit)
        const last = found.length > limit ? shown.at(-1) : undefined
        return {
          events: shown.map((event) => ({ ...event, at: toTime(new Date(event.at)) })),
          next_cursor: last === undefined ? null : encodeCursor({ at: last.at, id: last.id }),
        }
      }).catch(raisedAs(meanings))
    },
  )
}
