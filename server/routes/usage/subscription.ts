import { asActor } from '../../../db/actor.ts'
import { schedulePlanChange } from '../../../db/queries/subscriptions.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { toTime } from '../fields.ts'
import { subscriptionBody, subscriptionSchema } from './schema.ts'

export function changeSubscription(api: Api, { db }: RouteDeps): void {
  api.put(
    '/usage/subscription',
    {
      schema: {
        tags: ['usage'],
        summary: 'Change the plan of an account (operators)',
        description:
          'Counters go on: more is allowed at once; after a downgrade nothing is lost, and nothing is kept from being read.',
        body: subscriptionBody,
        response: { 200: subscriptionSchema, ...problems(400, 401, 403, 404) },
      },
    },
    (request) => {
      const { account_id: accountId, plan_type: planType, effective: when } = request.body
      return asActor(db, actorOf(request), async (tx) => {
        const period = await schedulePlanChange(tx, { accountId, planType, when })
        return { account_id: accountId, plan_type: period.planType, effective_from: toTime(period.effectiveFrom) }
      }).catch(raisedAs({ [raised.noDataFound]: () => notFound() }))
    },
  )
}
