import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import {
  findProfile,
  findProfileContext,
  insertProfile,
  listProfiles,
  switchProfile,
  updateProfile,
} from '../../../db/queries/profiles.ts'
import type { ProfileChanges } from '../../../db/queries/profiles.ts'
import type { UserProfile } from '../../../db/schema/identity.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { forbidden, notFound, unauthenticated } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams, toTime } from '../fields.ts'
import { profileNarratives } from './narratives.ts'
import { profileChanges, profileContextSchema, profileFields, profileListSchema, profileSchema } from './schema.ts'

export const profileExists = defineError('profile_exists', 409, 'This account already has a profile of its own.')

export function profileRoutes(api: Api, deps: RouteDeps): void {
  const { db } = deps
  const tags = ['profiles']

  api.get(
    '/profiles',
    {
      schema: {
        tags,
        summary: 'The people whose records you may see',
        response: { 200: profileListSchema, ...problems(401) },
      },
    },
    (request) => {
      const actor = actorOf(request)
      return asActor(db, actor, async (tx) => ({
        profiles: (await listProfiles(tx)).map((profile) => present(profile, actor.accountId)),
        ...contextOf(await findProfileContext(tx)),
      }))
    },
  )

  api.post(
    '/profiles',
    {
      schema: {
        tags,
        summary: 'Add a person that you care for',
        body: profileFields,
        response: { 201: profileSchema, ...problems(400, 401, 409) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request)
      const { accountId } = actor
      if (accountId === null) throw unauthenticated()
      // Every account has had its own from the start.
      if (request.body.profile_type === 'self') throw profileExists()
      const profile = await asActor(db, actor, (tx) => insertProfile(tx, accountId, fieldsOf(request.body)))
      return await reply.code(201).header('location', `/profiles/${profile.id}`).send(present(profile, accountId))
    },
  )

  api.get(
    '/profiles/:id',
    {
      schema: {
        tags,
        summary: 'One person',
        params: idParams,
        response: { 200: profileSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const actor = actorOf(request)
      return asActor(db, actor, async (tx) => {
        const profile = await findProfile(tx, request.params.id)
        if (profile === null) throw notFound()
        return present(profile, actor.accountId)
      })
    },
  )

  api.post(
    '/profiles/:id/switch',
    {
      schema: {
        tags,
        summary: 'Look at this person from now on',
        description: 'What apps show first, on all devices of the account. It opens nothing that was not open.',
        params: idParams,
        response: { 200: profileContextSchema, ...problems(400, 401, 404) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const profile = await findProfile(tx, request.params.id)
        if (profile === null || profile.archivedAt !== null) throw notFound()
        await switchProfile(tx, profile.id)
        return contextOf(await findProfileContext(tx))
      }),
  )

  api.patch(
    '/profiles/:id',
    {
      schema: {
        tags,
        summary: 'Change what is said about a person',
        description: 'For the account that the profile belongs to; who was given access to it may not.',
        params: idParams,
        body: profileChanges,
        response: { 200: profileSchema, ...problems(400, 401, 403, 404) },
      },
    },
    (request) => {
      const actor = actorOf(request)
      return asActor(db, actor, async (tx) => {
        const seen = await findProfile(tx, request.params.id)
        if (seen === null) throw notFound()
        const changed = await updateProfile(tx, seen.id, changesOf(request.body))
        if (changed === null) throw forbidden()
        return present(changed, actor.accountId)
      })
    },
  )

  profileNarratives(api, deps)
}

const contextOf = (context: Awaited<ReturnType<typeof findProfileContext>>) => ({
  current_profile_id: context.currentId,
  recent_profile_ids: [...context.recentIds],
})

function changesOf(body: z.output<typeof profileChanges>): ProfileChanges {
  return {
    displayName: body.display_name,
    fullName: body.full_name,
    dateOfBirth: body.date_of_birth,
    relationship: body.relationship,
    timeZone: body.time_zone,
    locale: body.locale,
  }
}

function fieldsOf(body: z.output<typeof profileFields>) {
  return {
    displayName: body.display_name,
    profileType: body.profile_type,
    fullName: body.full_name ?? null,
    relationship: body.relationship ?? null,
    dateOfBirth: body.date_of_birth ?? null,
    ...(body.time_zone === undefined ? {} : { timeZone: body.time_zone }),
    ...(body.locale === undefined ? {} : { locale: body.locale }),
  }
}

function present(profile: UserProfile, accountId: string | null): z.output<typeof profileSchema> {
  return {
    id: profile.id,
    display_name: profile.displayName,
    full_name: profile.fullName,
    profile_type: profile.profileType,
    relationship: profile.relationship,
    date_of_birth: profile.dateOfBirth,
    time_zone: profile.timeZone,
    locale: profile.locale,
    is_own: profile.accountOwnerId === accountId,
    created_at: toTime(profile.createdAt),
    updated_at: toTime(profile.updatedAt),
  }
}
