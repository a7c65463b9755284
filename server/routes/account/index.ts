import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { cancelAccountClosure, findAccountClosure, requestAccountClosure } from '../../../db/queries/closures.ts'
import type { AccountClosure } from '../../../db/queries/closures.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { toTime, toTimeOrNull } from '../fields.ts'
import { closureAnswer, closureSchema } from './schema.ts'

export const nothingToCancel = defineError('nothing_to_cancel', 409, 'This account is not waiting to be closed.')

export function accountRoutes(api: Api, { db }: RouteDeps): void {
  const tags = ['privacy']

  api.post(
    '/account/close',
    {
      schema: {
        tags,
        summary: 'Close the account after a waiting period',
        description:
          'At once: nobody else reaches its people, and nothing of them is processed. Reading and exporting go on until `due_at`; then everything is erased. A child with another guardian is kept, and becomes that guardian’s. Asking again is asking once.',
        response: { 202: closureSchema, ...problems(401) },
      },
    },
    async (request, reply) => {
      const closure = await asActor(db, actorOf(request), requestAccountClosure)
      return await reply.code(202).header('location', '/account/closure').send(present(closure))
    },
  )

  api.post(
    '/account/close/cancel',
    {
      schema: {
        tags,
        summary: 'Call the closing of the account off',
        description: 'Processing may go on; access that was taken from others stays taken.',
        response: { 200: closureSchema, ...problems(401, 409) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const closure = await cancelAccountClosure(tx)
        if (closure === null) throw nothingToCancel()
        return present(closure)
      }),
  )

  api.get(
    '/account/closure',
    { schema: { tags, summary: 'Is the account being closed?', response: { 200: closureAnswer, ...problems(401) } } },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const closure = await findAccountClosure(tx)
        return { closure: closure === null ? null : present(closure) }
      }),
  )
}

function present(row: AccountClosure): z.output<typeof closureSchema> {
  return {
    closure_id: row.id,
    status: row.status,
    requested_at: toTime(row.requestedAt),
    due_at: toTime(row.dueAt),
    cancelled_at: toTimeOrNull(row.cancelledAt),
  }
}
