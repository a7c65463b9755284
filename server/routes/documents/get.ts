import { findIdentityReview, listStages } from '../../../db/queries/documents.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { readDocument } from './open-document.ts'
import { presentHead, presentReview, presentStage } from './present.ts'
import { documentSchema } from './schema.ts'
import { idParams } from '../fields.ts'

export function getDocument(api: Api, { db }: RouteDeps): void {
  api.get(
    '/documents/:id',
    {
      schema: {
        tags: ['documents'],
        summary: 'A document and how far it has come',
        params: idParams,
        response: { 200: documentSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document' }, async (tx, file) => ({
        ...presentHead(file),
        stages: (await listStages(tx, file.id)).map(presentStage),
        identity_review: presentReview(await findIdentityReview(tx, file.id)),
      })),
  )
}
