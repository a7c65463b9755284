import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import type { Tx } from '../../../db/actor.ts'
import {
  acceptProfileAccess,
  findGrant,
  grantProfileAccess,
  listGrantsOfProfile,
  revokeProfileAccess,
} from '../../../db/queries/access.ts'
import type { ProfileGrant } from '../../../db/queries/access.ts'
import { findProfile } from '../../../db/queries/profiles.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { fromTimeOrNull, idParams, newestFirst, pageOf, toTime, toTimeOrNull } from '../fields.ts'
import { grantListQuery, grantListSchema, grantParams, grantSchema, newGrant } from './schema.ts'

const tags = ['profiles']

/** Who else reaches a person's record. The rules are the database's (docs/access.md); here they are put into words. */
export function accessRoutes(api: Api, deps: RouteDeps): void {
  listRoute(api, deps)
  grantRoute(api, deps)
  acceptRoute(api, deps)
  revokeRoute(api, deps)
}

function listRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/profiles/:id/access',
    {
      schema: {
        tags,
        summary: 'Who else may, might or could see this person’s record',
        description:
          'Newest first, with what has ended. Whoever manages access sees all of it; others see what they were offered or given themselves.',
        params: idParams,
        querystring: grantListQuery,
        response: { 200: grantListSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { id: profileId } = request.params
      const page = newestFirst(request.query)
      return asActor(db, actorOf(request), async (tx) => {
        const { shown, next_cursor } = pageOf(await listGrantsOfProfile(tx, profileId, page), page.limit)
        // Whoever was offered access does not see the person yet, but does see the offer.
        if (shown.length === 0 && (await findProfile(tx, profileId)) === null) throw notFound()
        return { grants: shown.map((grant) => present(grant)), next_cursor }
      })
    },
  )
}

function grantRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/profiles/:id/access',
    {
      schema: {
        tags,
        summary: 'Offer another account access to this person',
        description:
          'Opens nothing until it is accepted, and takes the place of what that account was offered or given before. What is given ends no later than what its giver holds.',
        params: idParams,
        body: newGrant,
        response: { 201: grantSchema, ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { account_id: accountId, level, capacity, starts_at, ends_at } = request.body
      const profileId = request.params.id
      const grant = await asActor(db, actorOf(request), async (tx) => {
        if ((await findProfile(tx, profileId)) === null) throw notFound()
        const startsAt = fromTimeOrNull(starts_at)
        const endsAt = fromTimeOrNull(ends_at)
        return await requireGrant(
          tx,
          profileId,
          await grantProfileAccess(tx, { profileId, accountId, level, capacity, startsAt, endsAt }),
        )
      })
      return await reply.code(201).header('location', `/profiles/${profileId}/access`).send(present(grant))
    },
  )
}

function acceptRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/profiles/:id/access/:grant_id/accept',
    {
      schema: {
        tags,
        summary: 'Take access that was offered',
        description: 'For the account to which it was offered. Accepting twice is accepting once.',
        params: grantParams,
        response: { 200: grantSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { id: profileId, grant_id: grantId } = request.params
      return asActor(db, actorOf(request), async (tx) => {
        await requireGrant(tx, profileId, grantId)
        await acceptProfileAccess(tx, grantId)
        return present(await requireGrant(tx, profileId, grantId))
      }).catch(raisedAs({ [raised.noDataFound]: () => notFound() }))
    },
  )
}

function revokeRoute(api: Api, { db }: RouteDeps): void {
  api.delete(
    '/profiles/:id/access/:grant_id',
    {
      schema: {
        tags,
        summary: 'Take access away, decline an offer, or leave',
        description: 'At once, and with it all that its holder had given to others.',
        params: grantParams,
        response: { 204: noBody('Ended.'), ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id: profileId, grant_id: grantId } = request.params
      await asActor(db, actorOf(request), async (tx) => {
        await requireGrant(tx, profileId, grantId)
        await revokeProfileAccess(tx, grantId)
      }).catch(raisedAs({ [raised.noDataFound]: () => notFound() }))
      return await reply.code(204).send()
    },
  )
}

async function requireGrant(tx: Tx, profileId: string, grantId: string): Promise<ProfileGrant> {
  const grant = await findGrant(tx, grantId)
  if (grant?.profileId !== profileId) throw notFound()
  return grant
}

function present(grant: ProfileGrant): z.output<typeof grantSchema> {
  return {
    id: grant.id,
    profile_id: grant.profileId,
    account_id: grant.accountId,
    level: grant.permissionLevel,
    capacity: grant.capacity,
    status: statusOf(grant, Date.now()),
    granted_by: grant.grantedBy,
    granted_at: toTime(grant.grantedAt),
    starts_at: toTime(grant.startsAt),
    ends_at: toTimeOrNull(grant.endsAt),
    accepted_at: toTimeOrNull(grant.acceptedAt),
    revoked_at: toTimeOrNull(grant.revokedAt),
  }
}

function statusOf(grant: ProfileGrant, nowMs: number): z.output<typeof grantSchema>['status'] {
  if (grant.revokedAt !== null) return 'revoked'
  if (grant.endsAt !== null && grant.endsAt.getTime() <= nowMs) return 'ended'
  if (grant.acceptedAt === null) return 'offered'
  return grant.startsAt.getTime() > nowMs ? 'not_begun' : 'active'
}
