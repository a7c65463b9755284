import { changesOfRun } from '../../../db/queries/fact-changes.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { readDocument } from '../documents/open-document.ts'
import { idParams, toTime } from '../fields.ts'
import { factChangesSchema } from './schema.ts'

const nothingToCompare = { compared_with: null, settled: true, unchanged: 0, new: [], changed: [], gone: [] }

export function factChangesRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/documents/:id/changes',
    {
      schema: {
        tags: ['facts'],
        summary: 'What is new, changed or gone since the document was processed again',
        description:
          'What was read, before and after; what people decided stands either way. `settled` is false while it is being processed.',
        params: idParams,
        response: { 200: factChangesSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_changes' }, async (tx, { id }) => {
        const changes = await changesOfRun(tx, id)
        return changes === null ? nothingToCompare : { ...changes, compared_with: toTime(changes.compared_with) }
      }),
  )
}
