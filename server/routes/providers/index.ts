import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import type { Tx } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findProfile } from '../../../db/queries/profiles.ts'
import {
  approveProviderAccess,
  declineProviderAccess,
  findProviderAccess,
  listProviderAccess,
  revokeProviderAccess,
} from '../../../db/queries/provider-access.ts'
import type { ProviderAccess } from '../../../db/queries/provider-access.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { forbidden, notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams, newestFirst, pageOf, toTime, toTimeOrNull } from '../fields.ts'
import { approval, requestListQuery, requestListSchema, requestSchema } from './schema.ts'

export const requestNotOpen = defineError('request_not_open', 409, 'This request is not open any more.')

const tags = ['providers']

/** The patient's side of clinicians' access: what was asked, and what became of it. */
export function providerRoutes(api: Api, deps: RouteDeps): void {
  listRoute(api, deps)
  approveRoute(api, deps)
  declineRoute(api, deps)
  revokeRoute(api, deps)
}

function listRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/providers/requests',
    {
      schema: {
        tags,
        summary: 'Which clinicians asked for this person’s record, and what became of it',
        description: 'Newest first. Whoever manages access sees all; a clinician sees their own.',
        querystring: requestListQuery,
        response: { 200: requestListSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { patient_id: patientId } = request.query
      const page = newestFirst(request.query)
      return asActor(db, actorOf(request), async (tx) => {
        const { shown, next_cursor } = pageOf(await listProviderAccess(tx, patientId, page), page.limit)
        if (shown.length === 0 && (await findProfile(tx, patientId)) === null) throw notFound()
        return { requests: shown.map((row) => present(row)), next_cursor }
      })
    },
  )
}

function approveRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/providers/requests/:id/approve',
    {
      schema: {
        tags,
        summary: 'Let a clinician in',
        description: 'By the person or a guardian, to no more than was asked for. This is the consent to it.',
        params: idParams,
        body: approval,
        response: { 200: requestSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) => {
      const { ends_at: endsAt, narrowed } = request.body
      return decide(db, request, request.params.id, (tx, id) =>
        approveProviderAccess(tx, id, { endsAt: new Date(endsAt), narrowed: narrowed ?? null }),
      )
    },
  )
}

function declineRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/providers/requests/:id/decline',
    {
      schema: {
        tags,
        summary: 'Say no to a clinician',
        params: idParams,
        response: { 200: requestSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) => decide(db, request, request.params.id, declineProviderAccess),
  )
}

function revokeRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/providers/requests/:id/revoke',
    {
      schema: {
        tags,
        summary: 'End a clinician’s access, or take a request back',
        description: 'Whoever manages access ends an approval; a clinician gives up what they asked for or were given.',
        params: idParams,
        response: { 200: requestSchema, ...problems(400, 401, 404, 409) },
      },
    },
    (request) => decide(db, request, request.params.id, revokeProviderAccess),
  )
}

/** Whoever sees a request and may not decide on it is told so; to everybody else it is not there. */
async function decide(
  db: Database,
  request: FastifyRequest,
  accessId: string,
  decision: (tx: Tx, accessId: string) => Promise<void>,
): Promise<z.output<typeof requestSchema>> {
  return await asActor(db, actorOf(request), async (tx) => {
    if ((await findProviderAccess(tx, accessId)) === null) throw notFound()
    await decision(tx, accessId)
    const decided = await findProviderAccess(tx, accessId)
    if (decided === null) throw new Error('a request was decided on but cannot be seen')
    return present(decided)
  }).catch(
    raisedAs({
      // It is seen, so what is missing is the right to decide, or a state in which there is something to decide.
      [raised.noDataFound]: () => requestNotOpen(),
      [raised.insufficientPrivilege]: () => forbidden(),
      [raised.notInPrerequisiteState]: () => requestNotOpen(),
    }),
  )
}

function present(row: ProviderAccess): z.output<typeof requestSchema> {
  return {
    id: row.id,
    patient_id: row.patientId,
    provider_id: row.providerId,
    clinician: row.clinician,
    status: row.status,
    purpose: row.purpose,
    level: row.permissionLevel,
    resources: row.resourceTypes,
    requested_at: toTime(row.requestedAt),
    decided_at: toTimeOrNull(row.decidedAt),
    starts_at: toTimeOrNull(row.startsAt),
    ends_at: toTimeOrNull(row.endsAt),
    revoked_at: toTimeOrNull(row.revokedAt),
  }
}
