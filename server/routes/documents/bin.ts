import { asActor } from '../../../db/actor.ts'
import {
  deleteDocument,
  findDocument,
  findIdentityReview,
  isDocumentOpen,
  listStages,
  restoreDocument,
} from '../../../db/queries/documents.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { forbidden, notFound } from '../../plugins/errors.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { spentLimitOf } from '../uploads/plan-limit.ts'
import { presentHead, presentReview, presentStage } from './present.ts'
import { documentSchema } from './schema.ts'
import { idParams } from '../fields.ts'

export const uploadedAgain = defineError(
  'uploaded_again',
  409,
  'The same file has been uploaded again since. Delete that one to have this one back.',
)

// The document is seen, so it is the right to change it that is missing.
const meanings = { [raised.noDataFound]: () => forbidden() }

export function documentBin(api: Api, { db }: RouteDeps): void {
  const tags = ['documents']

  api.delete(
    '/documents/:id',
    {
      schema: {
        tags,
        summary: 'Put a document into the bin',
        description: 'What it alone says leaves the record. It can be restored until its days in the bin are over.',
        params: idParams,
        response: { 204: noBody('In the bin, also if it was there before.'), ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      await asActor(db, actorOf(request), async (tx) => {
        if (!(await isDocumentOpen(tx, id))) throw notFound()
        await deleteDocument(tx, id)
      }).catch(raisedAs(meanings))
      return await reply.code(204).send()
    },
  )

  api.post(
    '/documents/:id/restore',
    {
      schema: {
        tags,
        summary: 'Take a document out of the bin',
        params: idParams,
        response: { 200: documentSchema, ...problems(400, 401, 402, 403, 404, 409) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const { id } = request.params
        if (!(await isDocumentOpen(tx, id))) throw notFound()
        await restoreDocument(tx, id)
        const file = await findDocument(tx, id)
        if (file === null) throw notFound()
        return {
          ...presentHead(file),
          stages: (await listStages(tx, id)).map(presentStage),
          identity_review: presentReview(await findIdentityReview(tx, id)),
        }
      }).catch(
        raisedAs({
          ...meanings,
          [raised.planLimitReached]: spentLimitOf,
          [raised.uniqueViolation]: () => uploadedAgain(),
        }),
      ),
  )
}
