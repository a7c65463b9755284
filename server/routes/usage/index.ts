import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { findProfile } from '../../../db/queries/profiles.ts'
import { listPlans, readUploadPermission, readUsageStatus } from '../../../db/queries/usage.ts'
import type { SubscriptionPlan } from '../../../db/queries/usage.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { usageHistory } from './history.ts'
import { changeSubscription } from './subscription.ts'
import { checkQuery, permissionSchema, planListSchema, usageQuery, usageSchema } from './schema.ts'

export function usageRoutes(api: Api, deps: RouteDeps): void {
  const { db } = deps
  const tags = ['usage']
  usageHistory(api, deps)
  changeSubscription(api, deps)

  api.get(
    '/usage',
    {
      schema: {
        tags,
        summary: 'What this month has used, and what the plan allows',
        querystring: usageQuery,
        response: { 200: usageSchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const profileId = request.query.patient_id
      return asActor(db, actorOf(request), async (tx) => {
        if ((await findProfile(tx, profileId)) === null) throw notFound()
        return usageSchema.parse(await readUsageStatus(tx, profileId))
      })
    },
  )

  api.get(
    '/usage/plans',
    { schema: { tags, summary: 'The plans', response: { 200: planListSchema, ...problems(401) } } },
    (request) => asActor(db, actorOf(request), async (tx) => ({ plans: (await listPlans(tx)).map(presentPlan) })),
  )

  api.get(
    '/usage/check',
    {
      schema: {
        tags,
        summary: 'May a file of this size be uploaded just now?',
        querystring: checkQuery,
        response: { 200: permissionSchema, ...problems(400, 401, 403, 404) },
      },
    },
    (request) => {
      const { patient_id: profileId, bytes: sizeBytes, pages } = request.query
      return asActor(db, actorOf(request), async (tx) => {
        if ((await findProfile(tx, profileId)) === null) throw notFound()
        return permissionSchema.parse(await readUploadPermission(tx, { profileId, sizeBytes, pages }))
      })
    },
  )
}

function presentPlan(plan: SubscriptionPlan): z.output<typeof planListSchema>['plans'][number] {
  return {
    plan_type: plan.planType,
    display_name: plan.displayName,
    shell_files_limit: plan.shellFilesLimit,
    pages_limit: plan.pagesLimit,
    ai_tokens_limit: plan.aiTokensLimit,
    storage_mb_limit: plan.storageMbLimit,
    monthly_price: plan.monthlyPrice,
  }
}
