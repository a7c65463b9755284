import { decideIdentityReview, findDocument, findIdentityReview, listStages } from '../../../db/queries/documents.ts'
import { defineError } from '../../../platform/errors.ts'
import { forbidden, notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { changeDocument } from './open-document.ts'
import { presentHead, presentReview, presentStage } from './present.ts'
import { decisionBody, documentSchema } from './schema.ts'
import { idParams } from '../fields.ts'

export const nothingToDecide = defineError('nothing_to_decide', 409, 'This document does not wait for a decision.')

export function decideIdentity(api: Api, { db }: RouteDeps): void {
  api.post(
    '/documents/:id/identity-review',
    {
      schema: {
        tags: ['documents'],
        summary: "Say whether a document is this person's",
        params: idParams,
        body: decisionBody,
        response: { 200: documentSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) =>
      changeDocument(db, request, request.params.id, async (tx, { id }) => {
        const review = await findIdentityReview(tx, id)
        if (review === null) throw nothingToDecide()
        await decideIdentityReview(tx, review.id, request.body.decision)
        const decided = await findDocument(tx, id)
        if (decided === null) throw notFound()
        return {
          ...presentHead(decided),
          stages: (await listStages(tx, id)).map(presentStage),
          identity_review: presentReview(await findIdentityReview(tx, id)),
        }
      }).catch(
        raisedAs({
          // The document is seen, so it is the right to change it that is missing.
          [raised.noDataFound]: () => forbidden(),
          [raised.notInPrerequisiteState]: () => nothingToDecide(),
        }),
      ),
  )
}
