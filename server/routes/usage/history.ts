import { asActor } from '../../../db/actor.ts'
import { listUsageHistory } from '../../../db/queries/usage-history.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { historyQuery, historySchema } from './schema.ts'

export function usageHistory(api: Api, { db }: RouteDeps): void {
  api.get(
    '/usage/history',
    {
      schema: {
        tags: ['usage'],
        summary: 'What your account used in the months before, and for whom',
        querystring: historyQuery,
        response: { 200: historySchema, ...problems(400, 401, 404) },
      },
    },
    (request) => {
      const { patient_id: profileId, months: cycles } = request.query
      return asActor(db, actorOf(request), async (tx) => {
        const months = await listUsageHistory(tx, { profileId: profileId ?? null, cycles })
        return {
          months: months.map((month) => ({
            month_start: month.cycleStart,
            patient_id: month.profileId,
            shell_files: month.shellFiles,
            pages: month.pages,
            ai_tokens: month.aiTokens,
            ai_seconds: month.aiSeconds,
            storage_bytes_added: month.storageBytesAdded,
            storage_bytes: month.storageBytes,
          })),
        }
      }).catch(raisedAs({ [raised.insufficientPrivilege]: () => notFound() }))
    },
  )
}
