import { narrativesOfFile } from '../../../db/queries/narratives.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams } from '../fields.ts'
import { narrativeListSchema, presentNarratives } from '../narratives.ts'
import { readDocument } from './open-document.ts'

export function documentNarratives(api: Api, { db }: RouteDeps): void {
  api.get(
    '/documents/:id/narratives',
    {
      schema: {
        tags: ['documents'],
        summary: 'What the document says, told in sentences that cite its facts',
        params: idParams,
        response: { 200: narrativeListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_narratives' }, async (tx, file) =>
        presentNarratives(tx, await narrativesOfFile(tx, file.id)),
      ),
  )
}
