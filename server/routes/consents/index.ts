import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { listConsents, recordConsent } from '../../../db/queries/consents.ts'
import type { StandingConsent } from '../../../db/queries/consents.ts'
import { findProfile } from '../../../db/queries/profiles.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { fromTimeOrNull, idParams, toTimeOrNull } from '../fields.ts'
import { consentDecision, consentListSchema, consentParams, consentSchema } from './schema.ts'

/** What may be done with a person's data, purpose by purpose. */
export function consentRoutes(api: Api, { db }: RouteDeps): void {
  const tags = ['privacy']

  api.get(
    '/profiles/:id/consents',
    {
      schema: {
        tags,
        summary: 'What may be done with this person’s data, and since when',
        description: 'For whoever manages access to the person.',
        params: idParams,
        response: { 200: consentListSchema, ...problems(400, 401, 403, 404) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const { id } = request.params
        if ((await findProfile(tx, id)) === null) throw notFound()
        return { consents: (await listConsents(tx, id)).map((consent) => present(consent)) }
      }),
  )

  api.put(
    '/profiles/:id/consents/:purpose',
    {
      schema: {
        tags,
        summary: 'Give, deny or withdraw consent to one purpose',
        description:
          'By the person or a guardian, and in effect when this answers: processing stops or goes on, clinicians are out. What was decided before is kept.',
        params: consentParams,
        body: consentDecision,
        response: { 200: consentSchema, ...problems(400, 401, 403, 404) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const { id: profileId, purpose } = request.params
        const { decision, expires_at, policy_version: policyVersion } = request.body
        if ((await findProfile(tx, profileId)) === null) throw notFound()
        const expiresAt = fromTimeOrNull(expires_at)
        await recordConsent(tx, { profileId, purpose, decision, expiresAt, policyVersion: policyVersion ?? null })
        const standing = (await listConsents(tx, profileId)).find((consent) => consent.purpose === purpose)
        if (standing === undefined) throw new Error('a consent was recorded but cannot be seen')
        return present(standing)
      }),
  )
}

function present(consent: StandingConsent): z.output<typeof consentSchema> {
  return {
    purpose: consent.purpose,
    holds: consent.holds,
    decision: consent.decision,
    decided_at: toTimeOrNull(consent.decidedAt),
    decided_by: consent.decidedBy,
    capacity: consent.capacity,
    policy_version: consent.policyVersion,
    expires_at: toTimeOrNull(consent.expiresAt),
  }
}
